package prune_test

import (
	"context"
	"sync"
	"time"

	"pruned/consumer/prune"
	"pruned/repo"
	"pruned/vectors"
)

// steps are the points of a transaction at which somebody else may commit.
var steps = []string{"lock", "look", "vectors", "delete", "tombstones", "ledger", "last look"}

// stepped lets do happen once, just before a step of the transaction.
func stepped(x *prune.Transaction, step string, do func()) *prune.Transaction {
	var once sync.Once
	before := func(s string) {
		if s == step {
			once.Do(do)
		}
	}
	y := *x
	y.DB, y.Vectors = steppedDB{x.DB, before}, steppedStore{x.Vectors.(inDatabase), before}
	return &y
}

// steppedDB is a real database that tells what is about to happen.
type steppedDB struct {
	prune.Database
	before func(step string)
}

func (d steppedDB) Lock(ctx context.Context, tx repo.Tx, ids []string, ages repo.Ages) (repo.Locked, error) {
	d.before("lock")
	return d.Database.Lock(ctx, tx, ids, ages)
}

func (d steppedDB) FindReferences(ctx context.Context, tx repo.Tx, ids []string) (repo.References, error) {
	d.before("look")
	return d.Database.FindReferences(ctx, tx, ids)
}

func (d steppedDB) FindIndexed(ctx context.Context, tx repo.Tx, ids []string) (repo.References, error) {
	d.before("look")
	return d.Database.FindIndexed(ctx, tx, ids)
}

func (d steppedDB) Delete(ctx context.Context, tx repo.Tx, ids []string, keep time.Duration) ([]repo.Deleted, error) {
	d.before("delete")
	return d.Database.Delete(ctx, tx, ids, keep)
}

func (d steppedDB) AddTombstones(ctx context.Context, tx repo.Tx, tombstones []repo.Tombstone) error {
	d.before("tombstones")
	return d.Database.AddTombstones(ctx, tx, tombstones)
}

func (d steppedDB) RecordEntries(ctx context.Context, tx repo.Tx, entries []repo.Entry) error {
	d.before("ledger")
	return d.Database.RecordEntries(ctx, tx, entries)
}

func (d steppedDB) RecheckReferences(ctx context.Context, tx repo.Tx, look repo.References, deleted, gone []string) (repo.Appeared, error) {
	d.before("last look")
	return d.Database.RecheckReferences(ctx, tx, look, deleted, gone)
}

// inDatabase is a store of the database's own.
type inDatabase interface {
	vectors.Transactional
	vectors.CollectionStore
}

// steppedStore is a real store that tells when it takes part.
type steppedStore struct {
	inDatabase
	before func(step string)
}

func (s steppedStore) RemoveInTx(ctx context.Context, tx vectors.Tx, ids []string) (int64, bool, error) {
	s.before("vectors")
	return s.inDatabase.RemoveInTx(ctx, tx, ids)
}

func (s steppedStore) RemoveCollections(ctx context.Context, tx vectors.Tx, names []string, guard vectors.Guard) (vectors.Removed, error) {
	s.before("collections")
	return s.inDatabase.RemoveCollections(ctx, tx, names, guard)
}
