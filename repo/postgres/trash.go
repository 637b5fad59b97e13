package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
)

// trashSQL copies rows, which are locked, to the trash. It reads no JSON: a row's own is
// taken over as the text that it is.
var trashSQL = `
INSERT INTO pruned.trash AS t (file_id, identity, path, name, filename, owner, size, keep, content)
SELECT f.id::text, $2::text, coalesce(f.path, '')::text, split_part(coalesce(f.path, ''), '/', -1), coalesce(f.filename, ''), coalesce(f.user_id::text, ''),
       ` + sizeSQL + `, $3::float8, row_to_json(f)
  FROM %s f WHERE f.id = ANY ($1::text[])
    ON CONFLICT (file_id) DO UPDATE
   SET identity = excluded.identity, path = excluded.path, name = excluded.name, filename = excluded.filename, owner = excluded.owner,
       size = excluded.size, made_at = excluded.made_at, keep = excluded.keep, bytes_gone = false, content = excluded.content
RETURNING t.file_id, t.path`

// queueTrash adds to a batch that these rows go to the trash. It answers as pathsSQL does.
func (db *DB) queueTrash(batch *pgx.Batch, ids []string, keep time.Duration) *pgx.QueuedQuery {
	return batch.Queue(db.withFileTable(trashSQL), ids, db.identity.String(), keep.Seconds())
}

// trashUntilSQL is when an entry ends.
const trashUntilSQL = `made_at + make_interval(secs => keep)`

func (db *DB) expireTrash(ctx context.Context) error {
	return db.inNewTx(ctx, longTimeout, func(t repo.Tx) error {
		_, err := t.Exec(ctx, `DELETE FROM pruned.trash WHERE `+trashUntilSQL+` <= clock_timestamp()`)
		return pgerr.Translate(err, "forget what was in the trash for long enough")
	})
}

// claimSQL ends the entries whose bytes have these names. Those that are still kept share
// them with another file, whose tombstone was due earlier: their rows may come back alone.
const claimSQL = `
WITH ended AS (DELETE FROM pruned.trash WHERE name = ANY ($1::text[]) AND name <> '' AND ` + trashUntilSQL + ` <= clock_timestamp())
UPDATE pruned.trash SET bytes_gone = true
 WHERE name = ANY ($1::text[]) AND name <> '' AND NOT bytes_gone AND ` + trashUntilSQL + ` > clock_timestamp()`

// ClaimBytes says that these bytes are about to go. It waits for a restore that has locked
// an entry, as long as any statement waits.
func (db *DB) ClaimBytes(ctx context.Context, t repo.Tx, tombstones []repo.Tombstone) error {
	names := make([]string, len(tombstones))
	for i, s := range tombstones {
		names[i] = openwebui.BaseName(s.Name)
	}
	_, err := pgxTx(t).Exec(ctx, claimSQL, names)
	return pgerr.Translate(err, "claim the bytes of %d tombstones", len(tombstones))
}

const trashedColumns = `file_id, path, filename, owner, size, made_at, ` + trashUntilSQL + `, bytes_gone`

// listTrashSQL compares times with the ledger's: the lines about what was restored, and
// deleted again by another event, are older.
const listTrashSQL = `
SELECT ` + trashedColumns + ` FROM pruned.trash t
 WHERE identity = @identity::text
   AND (NOT @some::boolean OR file_id = ANY (@ids::text[]))
   AND (@event::text = '' OR EXISTS (SELECT FROM pruned.ledger l WHERE l.file_id = t.file_id AND l.event_id = @event::text
                                        AND l.outcome = 'deleted' AND l.at >= t.made_at))
   AND (@since::timestamptz IS NULL OR made_at >= @since::timestamptz)
   AND (@before::timestamptz IS NULL OR made_at < @before::timestamptz)
 ORDER BY made_at, file_id`

// ListTrash lists entries, oldest first.
func (db *DB) ListTrash(ctx context.Context, f repo.TrashFilter) (list []repo.Trashed, err error) {
	err = db.inOwnTx(ctx, func(t pgx.Tx) error {
		rows, _ := t.Query(ctx, listTrashSQL, pgx.NamedArgs{"identity": db.identity.String(), "some": len(f.IDs) > 0, "ids": f.IDs,
			"event": f.EventID, "since": unlessZero(f.Since), "before": unlessZero(f.Before)})
		list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[repo.Trashed])
		return err
	})
	return list, pgerr.Translate(err, "list the trash")
}

// unlessZero is NULL for the zero time.
func unlessZero(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// emptyTrashSQL never makes a tombstone due later than it was.
const emptyTrashSQL = `
WITH gone AS (DELETE FROM pruned.trash WHERE file_id = ANY ($1::text[]) AND identity = $2::text RETURNING file_id)
UPDATE pruned.tombstone s SET due_at = least(s.due_at, greatest(clock_timestamp(), s.made_at + make_interval(secs => $3::float8)))
  FROM gone WHERE s.file_id = gone.file_id AND s.kind = 'bytes' AND s.identity = $2::text`

// EmptyTrash forgets entries, and lets their bytes go.
func (db *DB) EmptyTrash(ctx context.Context, ids []string, bytesDelay time.Duration) error {
	return db.InTx(ctx, nil, func(t repo.Tx) error {
		if err := db.waitForFirstLock(ctx, pgxTx(t)); err != nil {
			return err
		}
		_, err := pgxTx(t).Exec(ctx, emptyTrashSQL, ids, db.identity.String(), bytesDelay.Seconds())
		return pgerr.Translate(err, "empty the trash of %d files", len(ids))
	})
}

// SumTrash sums up the trash.
func (db *DB) SumTrash(ctx context.Context) (s repo.TrashSum, err error) {
	var oldest float64
	err = db.readRow(ctx, `SELECT count(*), coalesce(sum(size) FILTER (WHERE NOT bytes_gone), 0)::bigint,
       coalesce(extract(epoch FROM clock_timestamp() - min(made_at)), 0)::float8
  FROM pruned.trash WHERE identity = $1::text`, []any{db.identity.String()}, &s.Files, &s.Bytes, &oldest)
	s.Oldest = time.Duration(oldest * float64(time.Second))
	return s, pgerr.Translate(err, "sum up the trash")
}
