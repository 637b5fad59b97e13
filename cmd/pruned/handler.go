package main

import (
	"context"

	"pruned/consumer"
	"pruned/consumer/prune"
	"pruned/consumer/reap"
	"pruned/repo"
)

// What handles claims, by this command's settings.

func (c *command) ages() repo.Ages {
	return repo.Ages{Min: c.cli.Ages.Min, Pending: c.cli.Ages.Pending, Orphan: c.cli.Ages.Orphan}
}

func (c *command) transaction(p *parts) *prune.Transaction {
	return &prune.Transaction{
		DB: p.db, Vectors: p.store, VectorStore: p.storeInfo, Blobs: p.blobs, Ages: c.ages(),
		BytesDelay: c.cli.Consumer.BytesDelay, DryRun: c.cli.Consumer.DryRun,
	}
}

func (c *command) batch(p *parts) *prune.Handler {
	return prune.NewHandler(c.transaction(p), c.cli.Consumer.Batch, ackWait, p.log)
}

func (c *command) consumption(p *parts) consumer.Options {
	settings := c.cli.Consumer
	return consumer.Options{
		Workers: settings.Workers, AckWait: ackWait,
		MaxAckPending: settings.Workers * settings.Batch * 20, // batches grow tenfold
		Rate:          settings.Rate, DryRun: settings.DryRun,
		Ready: func(ctx context.Context) error { return p.db.Refresh(ctx, nil) },
		Log:   p.log,
	}
}

// executor carries out tombstones; one is enough, as it takes turns with itself.
func (p *parts) executor() *reap.Reaper {
	if p.tombstones == nil {
		p.tombstones = &reap.Reaper{
			DB: p.db, Vectors: p.store, VectorStore: p.storeInfo, Blobs: p.blobs, BlobStore: p.blobsInfo, Log: p.log,
		}
	}
	return p.tombstones
}
