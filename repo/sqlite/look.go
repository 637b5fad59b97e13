package sqlite

import (
	"context"
	"errors"

	"pruned/repo"
)

// ErrIncomplete says that the tables have not been read yet. Nothing may be
// deleted until Refresh has run.
var ErrIncomplete = errors.New("the reference index is incomplete")

// Look is step 2 of the transaction: nobody writes until it ends, so that what it
// finds stays true.
func (db *DB) Look(ctx context.Context, t repo.Tx, ids []string) (repo.Look, error) {
	look := repo.Look{Referenced: map[string]repo.Reference{}, Unknown: map[string]bool{}}
	tx := sqliteTx(t)
	if err := tx.beginLooking(ctx); err != nil {
		return look, err
	}
	for _, id := range ids {
		if !db.index.sure(id) {
			look.Unknown[id] = true
		}
	}
	mentioned, err := db.index.living(ctx, db.writer, ids)
	for id, f := range mentioned {
		look.Referenced[id] = f.reference()
	}
	return look, err
}

// beginLooking refuses where there is no index, which only Refresh makes.
func (t *tx) beginLooking(ctx context.Context) error {
	if t.current {
		return nil
	}
	if !t.begun {
		if err := t.db.turn.take(ctx); err != nil {
			return err
		}
		made := t.db.index.made
		t.db.turn.giveBack()
		if !made {
			return incomplete()
		}
	} else if !t.db.index.made {
		return incomplete()
	}
	return t.beginCurrent(ctx)
}

func incomplete() error {
	return &repo.Error{Kind: repo.Environment, Doing: "look for references", Err: ErrIncomplete}
}

// LookAgain is step 6. Nobody else has written since the look.
func (db *DB) LookAgain(context.Context, repo.Tx, repo.Look, []string, []string) (map[string]repo.Reference, error) {
	return map[string]repo.Reference{}, nil
}

func isIncomplete(err error) bool { return errors.Is(err, ErrIncomplete) }
