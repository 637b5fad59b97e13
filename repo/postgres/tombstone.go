package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
)

// addTombstonesSQL records some of the files that have a row besides: see rowsMissingSQL.
const addTombstonesSQL = `
WITH survivor AS (
    INSERT INTO pruned.survivor (identity, files, delay)
    VALUES (@identity::text, ARRAY(SELECT id FROM %s ORDER BY id LIMIT 10), (SELECT max(d) FROM unnest(@delays::float8[]) d)))
INSERT INTO pruned.tombstone (identity, kind, file_id, name, due_at, delay, trace, made_at)
SELECT @identity::text, u.kind, u.file_id, u.name, clock_timestamp() + make_interval(secs => u.delay), u.delay, u.trace, clock_timestamp() - make_interval(secs => u.age)
  FROM unnest(@kinds::text[], @ids::text[], @names::text[], @delays::float8[], @traces::text[], @ages::float8[]) u (kind, file_id, name, delay, trace, age)`

// AddTombstones writes tombstones.
func (db *DB) AddTombstones(ctx context.Context, t repo.Tx, tombstones []repo.Tombstone) error {
	n := len(tombstones)
	kinds, ids, names, traces := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	delays, ages := make([]float64, n), make([]float64, n)
	for i, s := range tombstones {
		kinds[i], ids[i], names[i], delays[i], traces[i], ages[i] = s.Kind, s.FileID, s.Name, s.Delay.Seconds(), s.Trace, s.Age.Seconds()
	}
	sql, args := db.bindPrepared(addTombstonesSQL, pgx.NamedArgs{"identity": db.identity.String(), "kinds": kinds, "ids": ids, "names": names, "delays": delays, "traces": traces, "ages": ages})
	_, err := pgxTx(t).Exec(ctx, sql, args...)
	return pgerr.Translate(err, "write %d tombstones", len(tombstones))
}

// dueSQL locks due tombstones. SKIP LOCKED: several replicas carry out tombstones, each
// its own. Those of another database, that came with a copy of this table, are never
// taken.
const dueSQL = `
SELECT seq, kind, file_id, name, attempts, extract(epoch FROM greatest(clock_timestamp() - made_at, '0'))::float8, trace FROM pruned.tombstone
 WHERE due_at <= clock_timestamp() AND kind = @kind::text AND identity = @identity::text
 ORDER BY due_at, seq LIMIT @limit::int
   FOR UPDATE SKIP LOCKED`

// FetchDue locks up to limit tombstones of a kind that are due, until the transaction ends.
// Times are mended, which reads every tombstone, only where there are fewer: as long as a drain
// has full sets those whose time was wrong can wait.
func (db *DB) FetchDue(ctx context.Context, t repo.Tx, kind string, limit int) ([]repo.Tombstone, error) {
	due, err := db.lockDue(ctx, t, kind, limit)
	if err != nil || len(due) == limit {
		return due, err
	}
	mended, err := pgxTx(t).Exec(ctx, mendTombstonesSQL)
	if err != nil {
		return nil, pgerr.Translate(err, "mend the times of tombstones")
	}
	if mended.RowsAffected() == 0 {
		return due, nil
	}
	return db.lockDue(ctx, t, kind, limit)
}

func (db *DB) lockDue(ctx context.Context, t repo.Tx, kind string, limit int) ([]repo.Tombstone, error) {
	rows, _ := pgxTx(t).Query(ctx, dueSQL, pgx.NamedArgs{"kind": kind, "identity": db.identity.String(), "limit": limit})
	due, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s repo.Tombstone, err error) {
		var age float64
		err = row.Scan(&s.Seq, &s.Kind, &s.FileID, &s.Name, &s.Attempts, &age, &s.Trace)
		s.Age = toDuration(age)
		return s, err
	})
	return due, pgerr.Translate(err, "take the tombstones that are due")
}

// PendingBlobs lists the names of bytes that wait for their removal, by file id.
func (db *DB) PendingBlobs(ctx context.Context, t repo.Tx, ids []string) (map[string][]string, error) {
	rows, _ := pgxTx(t).Query(ctx, `SELECT file_id, name FROM pruned.tombstone
		WHERE file_id = ANY ($1::text[]) AND kind = 'bytes' AND identity = $2::text`, ids, db.identity.String())
	names := map[string][]string{}
	var id, name string
	_, err := pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		names[id] = append(names[id], name)
		return nil
	})
	return names, pgerr.Translate(err, "look for tombstones of %d files", len(ids))
}

// presentIDsSQL finds rows that have one of the ids; its first row tells that rows are missing.
const presentIDsSQL = `
SELECT true, '', '' WHERE ` + rowsMissingSQL + `
UNION ALL
SELECT false, id::text, split_part(coalesce(path, ''), '/', -1) FROM %s WHERE id = ANY (@ids::text[])`

// stillReferencedSQL finds besides rows whose path has one of the base names (plugins share
// paths). An entry of the trash that is not claimed came after the claim (ClaimBytes): its row
// may come back.
const stillReferencedSQL = presentIDsSQL + `
UNION ALL
SELECT false, f.id::text, n.name FROM %s f JOIN unnest(@names::text[]) n (name) ON n.name = split_part(f.path, '/', -1)
UNION ALL
SELECT false, '', name FROM pruned.trash WHERE name = ANY (@names::text[]) AND NOT bytes_gone`

// StillReferenced returns the tombstones, by number, that may not be carried out, since a row
// has the id or shares the bytes, or one in the trash does. Of collections and points no row of table file tells.
func (db *DB) StillReferenced(ctx context.Context, t repo.Tx, tombstones []repo.Tombstone) (map[int64]bool, error) {
	var ids, names []string
	for _, s := range tombstones {
		if !s.IsAboutFile() {
			continue
		}
		ids = append(ids, s.FileID)
		if s.Name != "" {
			names = append(names, openwebui.BaseName(s.Name))
		}
	}
	sql, named := presentIDsSQL, pgx.NamedArgs{"ids": ids, "identity": db.identity.String()}
	if len(names) > 0 {
		sql, named["names"] = stillReferencedSQL, names
	}
	sql, args := db.bindPrepared(sql, named)
	rows, _ := pgxTx(t).Query(ctx, sql, args...)
	livingIDs, livingNames := map[string]bool{}, map[string]bool{}
	var missing bool
	var id, name string
	_, err := pgx.ForEachRow(rows, []any{&missing, &id, &name}, func() error {
		if missing {
			return &repo.Error{Kind: repo.Environment, Doing: "carry out tombstones", Err: repo.ErrRowsMissing}
		}
		livingIDs[id], livingNames[name] = true, true
		return nil
	})
	living := map[int64]bool{}
	for _, s := range tombstones {
		if s.IsAboutFile() && (livingIDs[s.FileID] || s.Name != "" && livingNames[openwebui.BaseName(s.Name)]) {
			living[s.Seq] = true
		}
	}
	return living, pgerr.Translate(err, "look whether %d tombstones' files exist again", len(tombstones))
}

const closeSQL = `DELETE FROM pruned.tombstone WHERE seq = ANY ($1::bigint[])`

const retrySQL = `
UPDATE pruned.tombstone t SET attempts = attempts + 1, error = r.reason, delay = r.delay, due_at = clock_timestamp() + make_interval(secs => r.delay)
  FROM unnest($1::bigint[], $2::float8[], $3::text[]) r (seq, delay, reason) WHERE t.seq = r.seq`

// annotateSQL adds the last note about each file to its last line of the ledger.
const annotateSQL = `
UPDATE pruned.ledger l SET note = n.note
  FROM (SELECT DISTINCT ON (file_id) file_id, note FROM unnest($1::text[], $2::text[]) WITH ORDINALITY u (file_id, note, number)
         ORDER BY file_id, number DESC) n
 WHERE l.seq = (SELECT max(seq) FROM pruned.ledger WHERE file_id = n.file_id)`

// unhurriedSQL has a transaction commit without waiting for the disk, behind which others'
// commits would wait.
const unhurriedSQL = `SELECT set_config('synchronous_commit', 'off', true)`

// Settle removes tombstones that were carried out or dropped, makes others due again,
// and adds to the ledger what happened to bytes or vectors after the commit. What a server
// that crashes forgets of that is carried out again, and finds nothing.
func (db *DB) Settle(ctx context.Context, t repo.Tx, s repo.Settlement) error {
	var seqs []int64
	var delays []float64
	var reasons, ids, notes []string
	for _, r := range s.Retry {
		seqs, delays, reasons = append(seqs, r.Seq), append(delays, r.Delay.Seconds()), append(reasons, r.Reason)
	}
	for _, n := range s.Notes {
		ids, notes = append(ids, n.FileID), append(notes, n.Text)
	}
	batch := &pgx.Batch{}
	batch.Queue(unhurriedSQL)
	if len(ids) > 0 {
		batch.Queue(annotateSQL, ids, notes)
	}
	if len(seqs) > 0 {
		batch.Queue(retrySQL, seqs, delays, reasons)
	}
	if len(s.Done) > 0 {
		batch.Queue(closeSQL, s.Done)
	}
	return pgerr.Translate(pgxTx(t).SendBatch(ctx, batch).Close(), "settle %d tombstones", len(s.Done)+len(s.Retry))
}

const backlogSQL = `
SELECT count(*), coalesce(extract(epoch FROM min(` + dueAtSQL + `) - clock_timestamp()), 0)::float8,
       count(*) FILTER (WHERE attempts > 0),
       coalesce((array_agg(error ORDER BY attempts DESC, seq) FILTER (WHERE attempts > 0))[1], '')
  FROM pruned.tombstone WHERE identity = $1::text AND kind = ANY ($2::text[])`

// Backlog tells of this database's tombstones of some kinds.
func (db *DB) Backlog(ctx context.Context, kinds ...string) (b repo.Backlog, err error) {
	var wait float64
	err = db.readRow(ctx, backlogSQL, []any{db.identity.String(), kinds}, &b.Count, &wait, &b.Retried, &b.Reason)
	b.DueIn = toDuration(wait)
	return b, pgerr.Translate(err, "look for tombstones")
}

// CountForeignTombstones counts the tombstones that another installation wrote, and names one.
func (db *DB) CountForeignTombstones(ctx context.Context) (n int64, whose string, err error) {
	err = db.readRow(ctx, `SELECT count(*), coalesce(max(identity), '') FROM pruned.tombstone WHERE identity <> $1::text`,
		[]any{db.identity.String()}, &n, &whose)
	return n, whose, pgerr.Translate(err, "look for tombstones of another installation")
}
