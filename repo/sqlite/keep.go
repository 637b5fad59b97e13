package sqlite

import (
	"context"
	"database/sql"
	"time"

	"pruned/repo"
)

const keepSQL = `
INSERT INTO pruned_keep (file_id, made_at, lasts, note) SELECT id, @now, nullif(@lasts, 0), @note FROM file WHERE id = @id
    ON CONFLICT (file_id) DO UPDATE SET made_at = excluded.made_at, lasts = excluded.lasts, note = excluded.note`

// KeepFile keeps a file. No batch is between its locks and its end while this writes.
func (db *DB) KeepFile(ctx context.Context, t repo.Tx, id string, lasts time.Duration, note string) (kept bool, err error) {
	err = db.InTx(ctx, t, func(t repo.Tx) error {
		n, err := sqliteTx(t).execWrite(ctx, keepSQL, sql.Named("id", id), sql.Named("now", toMicros(time.Now())),
			sql.Named("lasts", lasts.Microseconds()), sql.Named("note", note))
		kept = n > 0
		return translate(err, "keep file %s", id)
	})
	return kept && err == nil, err
}

// stillKeptSQL is the condition that a keep has not ended at @now.
const stillKeptSQL = `(lasts IS NULL OR made_at + lasts > @now)`

// ListKeeps lists what is kept now.
func (db *DB) ListKeeps(ctx context.Context, ids []string) (list []repo.Keep, err error) {
	var k repo.Keep
	var at int64
	var until *int64
	err = queryEach(ctx, db.pool, `SELECT file_id, note, made_at, made_at + lasts FROM pruned_keep
		WHERE `+stillKeptSQL+` AND (@all OR file_id IN (SELECT value FROM json_each(@ids))) ORDER BY made_at, file_id`,
		[]any{sql.Named("now", toMicros(time.Now())), sql.Named("all", ids == nil), sql.Named("ids", jsonList(ids))},
		[]any{&k.FileID, &k.Note, &at, &until}, func() error {
			k.At, k.Until = fromMicros(at), nil
			if until != nil {
				end := fromMicros(*until)
				k.Until = &end
			}
			list = append(list, k)
			return nil
		})
	return list, translate(err, "list what is kept")
}

// findKept are those of the ids that somebody keeps now.
func findKept(ctx context.Context, q querier, ids []string) (map[string]bool, error) {
	kept, err := querySet(ctx, q, `SELECT file_id FROM pruned_keep WHERE `+stillKeptSQL+` AND file_id IN (SELECT value FROM json_each(@ids))`,
		sql.Named("now", toMicros(time.Now())), sql.Named("ids", jsonList(ids)))
	return kept, translate(err, "look which of %d files are kept", len(ids))
}

// RemoveKeep ends one.
func (db *DB) RemoveKeep(ctx context.Context, id string) (was bool, err error) {
	err = db.InTx(ctx, nil, func(t repo.Tx) error {
		n, err := sqliteTx(t).execWrite(ctx, `DELETE FROM pruned_keep WHERE file_id = ?1`, id)
		was = n > 0
		return translate(err, "keep file %s no more", id)
	})
	return was && err == nil, err
}

// expireKeeps forgets those that ended. A keep of the future, by a clock that was ahead,
// was made now.
func (db *DB) expireKeeps(ctx context.Context) error {
	now := toMicros(time.Now())
	var some bool
	if _, err := queryOne(ctx, db.pool, `SELECT EXISTS (SELECT 1 FROM pruned_keep WHERE made_at + lasts <= ?1 OR made_at > ?1)`, []any{now}, &some); err != nil || !some {
		return translate(err, "look at what is kept")
	}
	return db.runShortTx(ctx, []statement{
		{`UPDATE pruned_keep SET made_at = ?1 WHERE made_at > ?1`, []any{now}},
		{`DELETE FROM pruned_keep WHERE made_at + lasts <= ?1`, []any{now}},
	})
}
