package sqlite

import (
	"context"
	"database/sql"
	"time"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// AddTombstones writes tombstones. Their numbers are never given twice: a
// tombstone is carried out without a lock, and closed by its number.
func (db *DB) AddTombstones(ctx context.Context, t repo.Tx, tombstones []repo.Tombstone) error {
	tx := sqliteTx(t)
	if err := tx.lockWrite(ctx); err != nil {
		return err
	}
	tx.wrote = true
	type stone struct {
		Seq  int64
		Kind string
		File string
		Name string
		Due  int64
		Wait int64
		Span string
		Made int64
	}
	var last int64
	if _, err := queryOne(ctx, db.writer, `UPDATE pruned_state SET tombstones = tombstones + ?1 RETURNING tombstones`, []any{len(tombstones)}, &last); err != nil {
		return translate(err, "number %d tombstones", len(tombstones))
	}
	now := time.Now()
	stones := make([]stone, len(tombstones))
	for i, s := range tombstones {
		stones[i] = stone{last - int64(len(tombstones)-i-1), s.Kind, s.FileID, s.Name, toMicros(now.Add(s.Delay)), s.Delay.Microseconds(), s.Trace, toMicros(now.Add(-s.Age))}
	}
	_, err := tx.execWrite(ctx, `INSERT INTO pruned_tombstone (seq, identity, kind, file_id, name, due_at, delay, trace, made_at)
		SELECT value ->> '$.Seq', ?2, value ->> '$.Kind', value ->> '$.File', value ->> '$.Name', value ->> '$.Due', value ->> '$.Wait', value ->> '$.Span', value ->> '$.Made' FROM json_each(?1)`,
		jsonList(stones), db.identity.Key)
	if err == nil {
		_, err = tx.execWrite(ctx, noteSurvivorsSQL, jsonList(stones), db.identity.Key, toMicros(now))
	}
	return translate(err, "write %d tombstones", len(tombstones))
}

// noteSurvivorsSQL notes some of the files that have a row besides: see rowsMissingSQL. The
// order is that of the column, which has an index, and not of the text made of it.
const noteSurvivorsSQL = `
INSERT OR REPLACE INTO pruned_survivor (identity, files, delay, made_at)
VALUES (?2, (SELECT json_group_array(id) FROM (SELECT CAST(f.id AS TEXT) AS id FROM file f WHERE f.id IS NOT NULL ORDER BY f.id LIMIT 10)),
        (SELECT max(value ->> '$.Wait') FROM json_each(?1)), ?3)`

const dueSQL = `
SELECT seq, kind, file_id, name, attempts, coalesce(made_at, due_at), trace FROM pruned_tombstone
 WHERE due_at <= @now AND kind = @kind AND identity = @identity
 ORDER BY due_at, seq LIMIT @limit`

// FetchDue lists up to most tombstones of a kind that are due. Those of another
// database, that came with a copy of this table, are never taken. It holds no lock:
// the application would wait for as long as they take. Two processes may carry out
// the same, which harms nothing.
func (db *DB) FetchDue(ctx context.Context, t repo.Tx, kind string, most int) (due []repo.Tombstone, err error) {
	now := time.Now()
	if err := db.mendTombstones(ctx, sqliteTx(t), now); err != nil {
		return nil, err
	}
	s := repo.Tombstone{}
	var made int64
	err = queryEach(ctx, sqliteTx(t).view(), dueSQL,
		[]any{sql.Named("now", toMicros(now)), sql.Named("kind", kind), sql.Named("identity", db.identity.Key), sql.Named("limit", most)},
		[]any{&s.Seq, &s.Kind, &s.FileID, &s.Name, &s.Attempts, &made, &s.Trace}, func() error {
			s.Age = now.Sub(fromMicros(made))
			due = append(due, s)
			return nil
		})
	return due, translate(err, "take the tombstones that are due")
}

// PendingBlobs lists the names of bytes that wait for their removal, by file id.
func (db *DB) PendingBlobs(ctx context.Context, t repo.Tx, ids []string) (map[string][]string, error) {
	names := map[string][]string{}
	var id, name string
	err := queryEach(ctx, sqliteTx(t).view(), `SELECT file_id, name FROM pruned_tombstone
		WHERE file_id IN (SELECT value FROM json_each(?1)) AND kind = 'bytes' AND identity = ?2`,
		[]any{jsonList(ids), db.identity.Key}, []any{&id, &name}, func() error {
			names[id] = append(names[id], name)
			return nil
		})
	return names, translate(err, "look for tombstones of %d files", len(ids))
}

// StillReferenced returns those of the tombstones that must not be carried out, by their
// number, since a row has the id or shares the bytes, or one in the trash that came after
// these were claimed; of collections and points no row of table file tells. Without a lock:
// rows are written by an application that does not wait for us either way.
func (db *DB) StillReferenced(ctx context.Context, t repo.Tx, tombstones []repo.Tombstone) (map[int64]bool, error) {
	var ids, names []string
	for _, s := range tombstones {
		if !s.IsAboutFile() {
			continue
		}
		ids = append(ids, s.FileID)
		name := openwebui.BaseName(s.Name)
		if owner := leadingUUID(name); owner != "" && owner != s.FileID {
			ids = append(ids, owner, name[:len(owner)])
		}
		if name != "" {
			names = append(names, name)
		}
	}
	if err := db.Present(); err != nil {
		return nil, err
	}
	q := sqliteTx(t).view()
	if err := db.rowsMissing(ctx, q); err != nil {
		return nil, err
	}
	exists, err := querySet(ctx, q, `SELECT id FROM file WHERE id IN (SELECT value FROM json_each(?1))`, jsonList(ids))
	if err != nil {
		return nil, translate(err, "look whether %d tombstones' files exist again", len(tombstones))
	}
	used, err := db.usedNames(ctx, q, names)
	if err != nil {
		return nil, err
	}
	living := map[int64]bool{}
	for _, s := range tombstones {
		name := openwebui.BaseName(s.Name)
		owner := leadingUUID(name)
		if !s.IsAboutFile() {
			continue
		}
		if exists[s.FileID] || name != "" && used(name) || owner != "" && (exists[owner] || exists[name[:len(owner)]]) {
			living[s.Seq] = true
		}
	}
	return living, nil
}

// usedNames tells which of these names a row of table file, or an entry of the trash that
// is not claimed, has as the base name of its path.
func (db *DB) usedNames(ctx context.Context, q querier, names []string) (used func(name string) bool, err error) {
	if len(names) == 0 {
		return func(string) bool { return false }, nil
	}
	byRows, err := db.sharedNames.upToDate(ctx, q)
	if err != nil {
		return nil, err
	}
	byTrash, err := querySet(ctx, q, `SELECT name FROM pruned_trash WHERE name IN (SELECT value FROM json_each(?1)) AND NOT bytes_gone`, jsonList(names))
	return func(name string) bool { return byRows[name] || byTrash[name] }, translate(err, "look for the bytes of %d tombstones in the trash", len(names))
}

const retrySQL = `UPDATE pruned_tombstone SET attempts = attempts + 1, error = @reason, due_at = @due, delay = @delay WHERE seq = @seq`

// Settle removes tombstones that were carried out or dropped, makes others due again,
// and adds to the ledger what happened to bytes or vectors after the commit.
func (db *DB) Settle(ctx context.Context, t repo.Tx, s repo.Settlement) error {
	tx, now := sqliteTx(t), time.Now()
	for _, n := range s.Notes {
		if _, err := tx.execWrite(ctx, `UPDATE pruned_ledger SET note = ?2
			WHERE seq = (SELECT max(seq) FROM pruned_ledger WHERE file_id = ?1)`, n.FileID, n.Text); err != nil {
			return translate(err, "annotate the ledger of file %s", n.FileID)
		}
	}
	for _, r := range s.Retry {
		if _, err := tx.execWrite(ctx, retrySQL, sql.Named("seq", r.Seq), sql.Named("reason", r.Reason),
			sql.Named("due", toMicros(now.Add(r.Delay))), sql.Named("delay", r.Delay.Microseconds())); err != nil {
			return translate(err, "postpone a tombstone")
		}
	}
	if len(s.Done) == 0 {
		return nil
	}
	_, err := tx.execWrite(ctx, `DELETE FROM pruned_tombstone WHERE seq IN (SELECT value FROM json_each(?1))`, jsonList(s.Done))
	return translate(err, "close %d tombstones", len(s.Done))
}

const backlogSQL = `
WITH waiting AS (SELECT * FROM pruned_tombstone WHERE identity = @identity AND kind IN (SELECT value FROM json_each(@kinds)))
SELECT count(*), min(` + dueAtSQL + `),
       count(*) FILTER (WHERE attempts > 0),
       coalesce((SELECT error FROM waiting WHERE attempts > 0 ORDER BY attempts DESC, seq LIMIT 1), '')
  FROM waiting`

// Backlog tells of this database's tombstones of some kinds.
func (db *DB) Backlog(ctx context.Context, kinds ...string) (b repo.Backlog, err error) {
	var due *int64
	_, err = queryOne(ctx, db.pool, backlogSQL,
		[]any{sql.Named("now", toMicros(time.Now())), sql.Named("identity", db.identity.Key), sql.Named("kinds", jsonList(kinds))}, &b.Count, &due, &b.Retried, &b.Reason)
	if due != nil {
		b.DueIn = time.Until(fromMicros(*due))
	}
	return b, translate(err, "look for tombstones")
}

// CountForeignTombstones counts the tombstones that another installation wrote, and names one.
func (db *DB) CountForeignTombstones(ctx context.Context) (n int64, whose string, err error) {
	_, err = queryOne(ctx, db.pool, `SELECT count(*), coalesce(max(identity), '') FROM pruned_tombstone WHERE identity <> ?1`, []any{db.identity.Key}, &n, &whose)
	return n, whose, translate(err, "look for tombstones of another installation")
}

// delaySQL is how long a tombstone waits at most. Of one that was written before
// that was noted it is not known; no setting is longer than 30 days.
const delaySQL = `coalesce(delay, 2592000000000)`

// dueAtSQL is when a tombstone is due, as of @now. A wait that is longer than its
// length was begun by a clock that was ahead, and begins now; where that clock was ahead
// by more than a day, nobody knows for how long it has waited: it counts as over.
const dueAtSQL = `CASE WHEN due_at > @now + ` + delaySQL + ` + 86400000000 THEN @now ELSE min(due_at, @now + ` + delaySQL + `) END`

// aheadSQL is the condition that a tombstone was written by a clock that was ahead.
const aheadSQL = `due_at > @now + ` + delaySQL + ` OR made_at > @now`

const (
	anyAheadSQL       = `SELECT EXISTS (SELECT 1 FROM pruned_tombstone WHERE ` + aheadSQL + `)`
	mendTombstonesSQL = `UPDATE pruned_tombstone SET due_at = ` + dueAtSQL + `, made_at = min(made_at, @now)
	WHERE ` + aheadSQL
)

// mendTombstones writes to the tombstones what dueAtSQL says. It takes the write lock
// only where one was written by a clock that was ahead.
func (db *DB) mendTombstones(ctx context.Context, t *tx, now time.Time) error {
	var some bool
	if _, err := queryOne(ctx, t.view(), anyAheadSQL, []any{sql.Named("now", toMicros(now))}, &some); err != nil || !some {
		return translate(err, "look at the times of tombstones")
	}
	_, err := t.execWrite(ctx, mendTombstonesSQL, sql.Named("now", toMicros(now)))
	return translate(err, "mend the times of tombstones")
}

// rowsMissingSQL says whether rows of table file are missing that pruned did not
// delete: more than half of those that were there when the last tombstones were
// written, or all. It holds for a day, and as long as the table is empty: rows that
// the application deleted are missing as well.
const rowsMissingSQL = `
SELECT count(*) FILTER (WHERE lost) * 2 > count(*) AND (max(fresh) OR NOT EXISTS (SELECT 1 FROM file))
  FROM (SELECT made_at > @now - 86400000000 - ` + delaySQL + ` AS fresh,
               NOT EXISTS (SELECT 1 FROM file f WHERE f.id = s.value)
               AND NOT EXISTS (SELECT 1 FROM pruned_ledger l WHERE l.file_id = s.value AND l.outcome = 'deleted') AS lost
          FROM pruned_survivor, json_each(files) s WHERE identity = @identity)`

func (db *DB) rowsMissing(ctx context.Context, q querier) error {
	var missing *bool
	if _, err := queryOne(ctx, q, rowsMissingSQL, []any{sql.Named("identity", db.identity.Key), sql.Named("now", toMicros(time.Now()))}, &missing); err != nil {
		return translate(err, "look for rows that are missing")
	}
	if missing != nil && *missing {
		return &repo.Error{Kind: repo.Environment, Doing: "carry out tombstones", Err: repo.ErrRowsMissing}
	}
	return nil
}
