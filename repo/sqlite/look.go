package sqlite

import (
	"context"
	"errors"

	"pruned/repo"
)

// ErrIncomplete says that the tables have not been read yet. Nothing may be
// deleted until IndexAll has run.
var ErrIncomplete = errors.New("the reference index is incomplete")

// FindReferences is step 2 of the transaction: nobody writes until it ends, so that what it
// finds stays true.
func (db *DB) FindReferences(ctx context.Context, t repo.Tx, ids []string) (repo.References, error) {
	look := repo.References{Referenced: map[string]repo.Reference{}, Unknown: map[string]bool{}}
	tx := sqliteTx(t)
	if err := tx.lockForSearch(ctx); err != nil {
		return look, err
	}
	for _, id := range ids {
		if !db.index.isIndexed(id) {
			look.Unknown[id] = true
		}
	}
	mentioned, err := db.index.findLiving(ctx, db.writer, ids)
	for id, f := range mentioned {
		look.Referenced[id] = f.toReference()
	}
	if err != nil {
		return look, err
	}
	kept, err := findKept(ctx, db.writer, ids)
	for id := range kept {
		look.Referenced[id] = repo.Reference{Table: repo.KeptByHand, Row: id}
	}
	return look, err
}

// lockForSearch refuses where there is no index, which only IndexAll makes.
func (t *tx) lockForSearch(ctx context.Context) error {
	if t.indexed {
		return nil
	}
	if !t.locked {
		if err := t.db.mutex.lock(ctx); err != nil {
			return err
		}
		made := t.db.index.complete
		t.db.mutex.unlock()
		if !made {
			return incompleteError()
		}
	} else if !t.db.index.complete {
		return incompleteError()
	}
	return t.lockIndexed(ctx)
}

func incompleteError() error {
	return &repo.Error{Kind: repo.Environment, Doing: "look for references", Err: ErrIncomplete}
}

// FindIndexed leaves nothing to RecheckReferences: the pages that changed have been read.
func (db *DB) FindIndexed(ctx context.Context, t repo.Tx, ids []string) (repo.References, error) {
	return db.FindReferences(ctx, t, ids)
}

// RecheckReferences is step 6. Nobody else has written since the look.
func (db *DB) RecheckReferences(context.Context, repo.Tx, repo.References, []string, []string) (repo.Appeared, error) {
	return repo.Appeared{References: map[string]repo.Reference{}}, nil
}
