package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// keptSQL is the value of a column as JSON, with its type: SQLite checks none, and what is
// read is to be written again as it was. JSON holds no bytes, and its functions end a text
// at a NUL; a real number is written with all its digits. printf, which ends a text there as
// well, finds a NUL in a tenth of the time that instr takes for a long text.
func keptSQL(column string) string {
	return strings.ReplaceAll(`CASE typeof({c}) WHEN 'text' THEN CASE WHEN printf('%s', {c}) = {c} COLLATE BINARY THEN json_array('text', {c}) ELSE json_array('nul', hex({c})) END
       WHEN 'blob' THEN json_array('blob', hex({c})) WHEN 'real' THEN json_array('real', printf('%!.17g', {c})) ELSE json_array(typeof({c}), {c}) END`, "{c}", column)
}

// baseNameSQL is what follows the last slash of a path.
const baseNameSQL = `substr(f.path, length(rtrim(f.path, replace(f.path, '/', ''))) + 1)`

// trashSQL copies rows to the trash.
func trashSQL(columns []string) string {
	var parts []string
	for _, c := range columns {
		parts = append(parts, quoteText(c)+`, `+keptSQL(`f.`+quoteIdent(c)))
	}
	return `INSERT OR REPLACE INTO pruned_trash (file_id, identity, path, name, filename, owner, size, made_at, keep, content)
SELECT CAST(f.id AS TEXT), @identity, coalesce(CAST(f.path AS TEXT), ''), coalesce(CAST(` + baseNameSQL + ` AS TEXT), ''), coalesce(CAST(f.filename AS TEXT), ''),
       coalesce(CAST(f.user_id AS TEXT), ''), ` + sizeSQL + `, @now, @keep, json_object(` + strings.Join(parts, ", ") + `)
  FROM file f WHERE f.id IN (SELECT value FROM json_each(@ids))`
}

// keepInTrash copies rows to the trash, before they are deleted under the same lock.
func (db *DB) keepInTrash(ctx context.Context, ids string, keep time.Duration) error {
	if keep <= 0 {
		return nil
	}
	columns, err := db.fileColumns(ctx)
	if err != nil {
		return err
	}
	_, err = db.writer.runPrepared(ctx, trashSQL(columns), sql.Named("identity", db.identity.Key), sql.Named("now", toMicros(time.Now())),
		sql.Named("keep", keep.Microseconds()), sql.Named("ids", ids))
	return translate(err, "put rows of table file into the trash")
}

// fileColumns are the columns of table file that hold values of their own.
func (db *DB) fileColumns(ctx context.Context) ([]string, error) {
	names, err := queryColumn[string](ctx, db.writer, `SELECT name FROM pragma_table_info('file') ORDER BY cid`)
	return names, translate(err, "read the columns of table file")
}

// trashPage is how many entries leave under one lock: each holds a row with its text.
const trashPage = 200

func (db *DB) expireTrash(ctx context.Context) error {
	now := toMicros(time.Now())
	var some bool
	if _, err := queryOne(ctx, db.pool, `SELECT EXISTS (SELECT 1 FROM pruned_trash WHERE made_at + keep <= ?1 OR made_at > ?1)`, []any{now}, &some); err != nil || !some {
		return translate(err, "look at the trash")
	}
	// What happened in the future, by a clock that was ahead, happened now.
	if err := db.runShortTx(ctx, []statement{{`UPDATE pruned_trash SET made_at = ?1 WHERE made_at > ?1`, []any{now}}}); err != nil {
		return err
	}
	return db.deletePages(ctx, trashPage, `DELETE FROM pruned_trash WHERE file_id IN (SELECT file_id FROM pruned_trash WHERE made_at + keep <= ?1 LIMIT ?2)`, now)
}

// ClaimBytes says that these bytes are about to go. It takes the write lock only where an
// entry has one of the names: a restore takes entries away, and brings none.
func (db *DB) ClaimBytes(ctx context.Context, t repo.Tx, tombstones []repo.Tombstone) error {
	var names []string
	for _, s := range tombstones {
		if s.Name != "" {
			names = append(names, openwebui.BaseName(s.Name))
		}
	}
	these, now := jsonList(names), toMicros(time.Now())
	var some bool
	_, err := queryOne(ctx, sqliteTx(t).view(), `SELECT EXISTS (SELECT 1 FROM pruned_trash WHERE name IN (SELECT value FROM json_each(?1)) AND NOT bytes_gone)`, []any{these}, &some)
	if err != nil || !some {
		return translate(err, "look for the bytes of %d tombstones in the trash", len(tombstones))
	}
	for _, query := range []string{
		`DELETE FROM pruned_trash WHERE name IN (SELECT value FROM json_each(?1)) AND made_at + keep <= ?2`,
		// Those that are still kept share them with another file, whose tombstone was due earlier.
		`UPDATE pruned_trash SET bytes_gone = 1 WHERE name IN (SELECT value FROM json_each(?1)) AND made_at + keep > ?2`,
	} {
		if _, err := sqliteTx(t).execWrite(ctx, query, these, now); err != nil {
			return translate(err, "claim the bytes of %d tombstones", len(tombstones))
		}
	}
	return nil
}

const trashedColumns = `file_id, path, filename, owner, size, made_at, made_at + keep, bytes_gone`

// trashedRow are the places that the columns of an entry are scanned into.
type trashedRow struct {
	repo.Trashed
	at, until int64
}

func (r *trashedRow) places() []any {
	return []any{&r.FileID, &r.Path, &r.Filename, &r.Owner, &r.Size, &r.at, &r.until, &r.BytesGone}
}

func (r *trashedRow) entry() repo.Trashed {
	r.At, r.Until = fromMicros(r.at), fromMicros(r.until)
	return r.Trashed
}

// listTrashSQL compares times with the ledger's: the lines about what was restored, and
// deleted again by another event, are older.
const listTrashSQL = `
SELECT ` + trashedColumns + ` FROM pruned_trash t
 WHERE identity = @identity
   AND (@ids = '[]' OR file_id IN (SELECT value FROM json_each(@ids)))
   AND (@event = '' OR EXISTS (SELECT 1 FROM pruned_ledger l WHERE l.file_id = t.file_id AND l.event_id = @event
                                  AND l.outcome = 'deleted' AND l.at >= t.made_at))
   AND made_at >= @since AND (@before = 0 OR made_at < @before)
 ORDER BY made_at, file_id`

// ListTrash lists entries, oldest first.
func (db *DB) ListTrash(ctx context.Context, f repo.TrashFilter) (list []repo.Trashed, err error) {
	var since, before int64
	if !f.Since.IsZero() {
		since = toMicros(f.Since)
	}
	if !f.Before.IsZero() {
		before = toMicros(f.Before)
	}
	var r trashedRow
	err = queryEach(ctx, db.pool, listTrashSQL, []any{sql.Named("identity", db.identity.Key), sql.Named("ids", jsonList(f.IDs)),
		sql.Named("event", f.EventID), sql.Named("since", since), sql.Named("before", before)}, r.places(), func() error {
		list = append(list, r.entry())
		return nil
	})
	return list, translate(err, "list the trash")
}

// EmptyTrash forgets entries, and lets their bytes go.
func (db *DB) EmptyTrash(ctx context.Context, ids []string, bytesDelay time.Duration) error {
	return db.InTx(ctx, nil, func(t repo.Tx) error {
		these, now := jsonList(ids), toMicros(time.Now())
		// No tombstone becomes due later than it was.
		if _, err := sqliteTx(t).execWrite(ctx, `UPDATE pruned_tombstone SET due_at = min(due_at, max(?3, coalesce(made_at, 0) + ?4))
			WHERE kind = 'bytes' AND identity = ?2 AND file_id IN (SELECT file_id FROM pruned_trash WHERE identity = ?2 AND file_id IN (SELECT value FROM json_each(?1)))`,
			these, db.identity.Key, now, bytesDelay.Microseconds()); err != nil {
			return translate(err, "let the bytes of %d files go", len(ids))
		}
		_, err := sqliteTx(t).execWrite(ctx, `DELETE FROM pruned_trash WHERE identity = ?2 AND file_id IN (SELECT value FROM json_each(?1))`, these, db.identity.Key)
		return translate(err, "empty the trash of %d files", len(ids))
	})
}

// SumTrash sums up the trash.
func (db *DB) SumTrash(ctx context.Context) (s repo.TrashSum, err error) {
	now := time.Now()
	var first int64
	_, err = queryOne(ctx, db.pool, `SELECT count(*), coalesce(sum(size) FILTER (WHERE NOT bytes_gone), 0), coalesce(min(made_at), ?2) FROM pruned_trash WHERE identity = ?1`,
		[]any{db.identity.Key, toMicros(now)}, &s.Files, &s.Bytes, &first)
	s.Oldest = max(now.Sub(fromMicros(first)), 0).Truncate(time.Microsecond)
	return s, translate(err, "sum up the trash")
}
