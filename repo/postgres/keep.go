package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// keepSQL locks the row first, as somebody who links to it does: a batch does not wait for
// that, and finds the row busy.
const keepSQL = `
WITH there AS MATERIALIZED (SELECT id FROM %s WHERE id = $1::text FOR KEY SHARE)
INSERT INTO pruned.keep (file_id, lasts, note) SELECT id, nullif($2::float8, 0), $3::text FROM there
    ON CONFLICT (file_id) DO UPDATE SET made_at = excluded.made_at, lasts = excluded.lasts, note = excluded.note`

// KeepFile keeps a file. It waits for a batch that has locked the row, as long as any
// statement waits that holds no lock.
func (db *DB) KeepFile(ctx context.Context, t repo.Tx, id string, lasts time.Duration, note string) (kept bool, err error) {
	err = db.InTx(ctx, t, func(t repo.Tx) error {
		if err := db.waitForFirstLock(ctx, pgxTx(t)); err != nil {
			return err
		}
		tag, err := pgxTx(t).Exec(ctx, db.withFileTable(keepSQL), id, lasts.Seconds(), note)
		kept = tag.RowsAffected() > 0
		return pgerr.Translate(err, "keep file %s", id)
	})
	return kept && err == nil, err
}

const listKeepsSQL = `
SELECT file_id, note, made_at, made_at + make_interval(secs => lasts) FROM pruned.keep
 WHERE ` + refindex.KeptSQL + ` AND (NOT $1::boolean OR file_id = ANY ($2::text[]))
 ORDER BY made_at, file_id`

// ListKeeps lists what is kept now.
func (db *DB) ListKeeps(ctx context.Context, ids []string) (list []repo.Keep, err error) {
	err = db.inOwnTx(ctx, func(t pgx.Tx) error {
		rows, _ := t.Query(ctx, listKeepsSQL, ids != nil, ids)
		list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[repo.Keep])
		return err
	})
	return list, pgerr.Translate(err, "list what is kept")
}

// RemoveKeep ends one.
func (db *DB) RemoveKeep(ctx context.Context, id string) (was bool, err error) {
	err = db.InTx(ctx, nil, func(t repo.Tx) error {
		tag, err := pgxTx(t).Exec(ctx, `DELETE FROM pruned.keep WHERE file_id = $1::text`, id)
		was = tag.RowsAffected() > 0
		return pgerr.Translate(err, "keep file %s no more", id)
	})
	return was && err == nil, err
}

// expireKeeps forgets those that ended.
func (db *DB) expireKeeps(ctx context.Context) error {
	return db.InTx(ctx, nil, func(t repo.Tx) error {
		_, err := t.Exec(ctx, `DELETE FROM pruned.keep WHERE NOT (`+refindex.KeptSQL+`)`)
		return pgerr.Translate(err, "forget what was kept for long enough")
	})
}
