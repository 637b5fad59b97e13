package sqlite

import (
	"context"

	"pruned/repo"
	"pruned/repo/sqlite/dbfile"
)

// Pass brings the index up to date with what changed since it was made. Where
// that cannot be told any more it reads everything again.
func (db *DB) Pass(ctx context.Context) error { return db.refresh(ctx, nil, false) }

// Refresh also reads everything where it never was, or where files appeared that
// older rows may mention.
func (db *DB) Refresh(ctx context.Context, progress repo.Progress) error {
	return db.refresh(ctx, progress, true)
}

// Search reads everything once, and looks for these ids and no others.
func (db *DB) Search(ctx context.Context, ids []string, progress repo.Progress) error {
	if err := db.turn.take(ctx); err != nil {
		return err
	}
	defer db.turn.giveBack()
	db.about(ids)
	return db.catchUp(ctx, progress)
}

// about begins an index anew, which is about these ids.
func (db *DB) about(ids []string) {
	db.index, db.only = &index{}, ids
	db.follower.start(dbfile.Position{})
}

func (db *DB) refresh(ctx context.Context, progress repo.Progress, whole bool) error {
	mentioned, err := db.catchUpWhole(ctx, progress, whole)
	if err != nil || len(mentioned) == 0 {
		return err
	}
	return db.InTx(ctx, nil, func(t repo.Tx) error { return db.StopClocks(ctx, t, mentioned) })
}

// catchUpWhole also returns the files that were known to be unreferenced, and are
// mentioned by now.
func (db *DB) catchUpWhole(ctx context.Context, progress repo.Progress, whole bool) (mentioned []string, err error) {
	if err := db.turn.take(ctx); err != nil {
		return nil, err
	}
	defer db.turn.giveBack()
	if db.only != nil {
		db.about(nil)
	}
	if !db.index.made && !whole {
		return nil, nil
	}
	if err := db.catchUp(ctx, progress); err != nil {
		return nil, err
	}
	if whole && len(db.index.late) > 0 {
		db.index.at = state{} // which reads everything
		if err := db.catchUp(ctx, progress); err != nil {
			return nil, err
		}
	}
	clocked, err := column[string](ctx, db.reader, `SELECT file_id FROM pruned_candidate WHERE direction = 'row'`)
	if err != nil {
		return nil, translate(err, "list the candidates")
	}
	found, err := db.index.living(ctx, db.reader, clocked)
	for id := range found {
		mentioned = append(mentioned, id)
	}
	return mentioned, err
}
