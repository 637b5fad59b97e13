package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// lockSQL never waits: waiting deadlocks with the application, which links files
// in any order. From here on an insert into a link table waits for us, then
// fails on the missing row.
//
// data holds the whole extracted text: its status is read only where it matters,
// in rows that were touched lately. A row without a time that can be (openwebui.SecondsOf)
// is as old as we have known it; that clock starts anew where it was started by one
// that was ahead.
var lockSQL = `
SELECT f.id::text, coalesce(f.path, '')::text,
       t.now - t.made,
       greatest(t.made + @min::float8 - t.now,
                CASE WHEN in_flight.yes THEN t.touched + @pending::float8 - t.now END),
       in_flight.yes, coalesce(t.now - c.seen, 0)::float8, c.seen IS NOT NULL
  FROM %s f
  LEFT JOIN (SELECT file_id, extract(epoch FROM first_seen)::float8 AS seen FROM pruned.candidate
              WHERE direction = 'row' AND first_seen <= clock_timestamp()) c
         ON c.file_id = f.id
 CROSS JOIN LATERAL (SELECT extract(epoch FROM clock_timestamp())::float8 AS now) n
 CROSS JOIN LATERAL (SELECT n.now, coalesce(` + createdSQL + `, c.seen, n.now) AS made,
                            coalesce(greatest(` + createdSQL + `, ` + updatedSQL + `), c.seen, n.now) AS touched) t
 CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN t.touched > t.now - @pending::float8
                                          THEN ` + inFlightSQL + ` END, false) AS yes) in_flight
 WHERE f.id = ANY (@ids::text[])
 ORDER BY f.id
   FOR UPDATE OF f SKIP LOCKED`

// Lock locks the rows of table file that have one of these ids.
func (db *DB) Lock(ctx context.Context, t repo.Tx, ids []string, ages repo.Ages) (repo.Locked, error) {
	var locked repo.Locked
	if err := db.index.SerializeStrict(ctx, pgxTx(t)); err != nil {
		return locked, err
	}
	sql, args := db.bindPrepared(lockSQL, agesArgs(ages, pgx.NamedArgs{"ids": ids}))
	rows, _ := pgxTx(t).Query(ctx, sql, args...)
	var f repo.File
	var age, ripe, orphan float64
	held := make(map[string]bool, len(ids))
	locked.Files = make([]repo.File, 0, len(ids))
	_, err := pgx.ForEachRow(rows, []any{&f.ID, &f.Path, &age, &ripe, &f.InFlight, &orphan, &f.HasGrace}, func() error {
		f.Age, f.EligibleIn, f.UnreferencedFor = toDuration(age), toDuration(ripe), toDuration(orphan)
		locked.Files = append(locked.Files, f)
		held[f.ID] = true
		return nil
	})
	if err != nil {
		return locked, pgerr.Translate(err, "lock %d rows of table file", len(ids))
	}
	if len(locked.Files) == len(ids) {
		return locked, nil
	}
	return locked, db.sortMissing(ctx, t, ids, held, &locked)
}

const presentSQL = `SELECT id FROM %s WHERE id = ANY ($1::text[])`

// sortMissing tells busy rows from missing ones by a plain SELECT, and confirms missing
// ones by a query that uses no index.
func (db *DB) sortMissing(ctx context.Context, t repo.Tx, ids []string, held map[string]bool, locked *repo.Locked) error {
	there, err := refindex.ReadColumn[string](ctx, pgxTx(t), db.withFileTable(presentSQL), ids)
	if err != nil {
		return pgerr.Translate(err, "look for %d rows of table file", len(ids))
	}
	exists := map[string]bool{}
	for _, id := range there {
		exists[id] = true
	}
	for _, id := range ids {
		switch {
		case held[id]:
		case exists[id]:
			locked.Busy = append(locked.Busy, id)
		default:
			locked.Gone = append(locked.Gone, id)
		}
	}
	if err := db.verifyGone(ctx, pgxTx(t), locked); err != nil || len(locked.Gone) < len(ids) {
		return err
	}
	return db.deferMissing(ctx, t, locked)
}

// verifyGone asks table file itself for ids that its index does not find. Those that
// came meanwhile are busy.
func (db *DB) verifyGone(ctx context.Context, t pgx.Tx, locked *repo.Locked) error {
	if len(locked.Gone) == 0 {
		return nil
	}
	came, err := db.index.FindUnindexed(ctx, t, "file", db.withFileTable(presentSQL), locked.Gone)
	locked.Gone = slices.DeleteFunc(locked.Gone, func(id string) bool {
		is := slices.Contains(came, id)
		if is {
			locked.Busy = append(locked.Busy, id)
		}
		return is
	})
	return err
}

// deferMissingSQL tells whether table file has rows, and which files are confirmed:
// pg_restore --clean makes the table first, and fills it later.
const deferMissingSQL = `
SELECT EXISTS (SELECT FROM %s),
       ARRAY(SELECT file_id FROM pruned.candidate WHERE direction IN ('vector', 'bytes') AND file_id = ANY ($1::text[]) AND confirmed)`

// deferMissing defers missing files, but for confirmed ones, where table file is empty.
func (db *DB) deferMissing(ctx context.Context, t repo.Tx, locked *repo.Locked) error {
	var filled bool
	var confirmed []string
	err := pgxTx(t).QueryRow(ctx, db.withFileTable(deferMissingSQL), locked.Gone).Scan(&filled, &confirmed)
	if err != nil || filled {
		return pgerr.Translate(err, "look whether table file is empty")
	}
	locked.DeferMissing(confirmed)
	return nil
}

// MaxLockHold is zero: PostgreSQL lets others write meanwhile.
func (db *DB) MaxLockHold() time.Duration { return 0 }
