package main

import (
	"context"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/prune"
	"pruned/consumer/reap"
	"pruned/repo"
)

// What handles events, by this command's settings.

func (c *command) fileAges() repo.Ages {
	return repo.Ages{Min: c.cli.Ages.Min, Pending: c.cli.Ages.Pending, Orphan: c.cli.Ages.Orphan}
}

func (c *command) newTransaction(a *app) *prune.Transaction {
	return &prune.Transaction{
		DB: a.db, Leftovers: a.db, Vectors: a.store, Blobs: a.blobs, Ages: c.fileAges(),
		BytesDelay: c.cli.Consumer.BytesDelay, Trash: c.cli.Consumer.Trash, DryRun: c.cli.Consumer.DryRun,
	}
}

// newBatch makes the handler of batches. observe is told of their transactions; nil tells
// nobody.
func (c *command) newBatch(a *app, observe func(prune.Report, error)) *prune.Handler {
	transaction := c.newTransaction(a)
	transaction.Expect, transaction.Observe = a.sharedExecutor().Expect, observe
	return prune.NewHandler(transaction, c.cli.Consumer.Batch, batchTimeout, a.log)
}

func (c *command) consumerOptions(a *app) consumer.Options {
	settings := c.cli.Consumer
	return consumer.Options{
		Workers:       settings.Workers,
		MaxAckPending: settings.Workers * settings.Batch * 20, // batches grow tenfold
		Rate:          settings.Rate, DryRun: settings.DryRun, Control: a.control,
		Ready:      func(ctx context.Context) error { return a.db.IndexAll(ctx, nil) },
		WasDeleted: a.wasDeleted,
		Log:        a.log,
	}
}

// wasDeleted asks the ledger, which commits with the deletion.
func (a *app) wasDeleted(ctx context.Context, e event.Event) (bool, error) {
	for entry, err := range a.db.ReadLedger(ctx, e.Subject) {
		if err != nil {
			return false, err
		}
		if entry.Outcome == string(event.Deleted) && entry.EventID == e.ID && entry.Source == e.Source {
			return true, nil
		}
	}
	return false, nil
}

// sharedExecutor is the one executor of tombstones: it takes turns with itself.
func (a *app) sharedExecutor() *reap.Reaper {
	if a.tombstones == nil {
		a.tombstones = &reap.Reaper{
			DB: a.db, Vectors: a.store, Blobs: a.blobs, Log: a.log, Paused: a.control.IsPaused, Tracer: a.tracer,
		}
	}
	return a.tombstones
}
