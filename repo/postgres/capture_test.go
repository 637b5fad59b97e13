package postgres_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// capture has the rows of all tables captured, and waits until looks rest on that: of table
// note, which has so many that they are not just read.
func capture(t testing.TB, d *testenv.Database, db *postgres.DB) {
	t.Helper()
	if testenv.Value[int](t, d, `SELECT count(*) FROM note`) < 3000 {
		insertManyNotes(t, d)
	}
	_, _, err := db.CaptureChanges(context.Background())
	require.NoError(t, err)
	settleCapture(t, d, db)
}

// newCaptured makes a database whose rows are captured, with two files.
func newCaptured(t *testing.T) (*testenv.Database, *postgres.DB, []string) {
	t.Helper()
	d := newQuietServer(t).New(t)
	db := open(t, d)
	ids := newFiles(t, d, 2)
	refresh(t, db)
	capture(t, d, db)
	return d, db, ids
}

// settleCapture passes until the marks are behind what a pass armed: that is twice, unless
// somebody else's transaction was open.
func settleCapture(t testing.TB, d *testenv.Database, db *postgres.DB) {
	t.Helper()
	require.Eventually(t, func() bool {
		refresh(t, db)
		return isCaptured(t, d, "note")
	}, testTimeout, tick)
}

func isCaptured(t testing.TB, d *testenv.Database, table string) bool {
	t.Helper()
	return testenv.Value[bool](t, d, `SELECT captured_from <= w FROM pruned.relation WHERE relid = $1::regclass AND captured IS NOT NULL
		UNION ALL SELECT false LIMIT 1`, table)
}

// Capture: while somebody else writes, no look and no pass reads a table whose rows are
// captured, and each finds what was written.
func TestCapturedLooksReadOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprintf("late=%t", late), func(t *testing.T) {
			t.Parallel()
			d := newQuietServer(t).New(t)
			db := open(t, d)
			ids := newFiles(t, d, 3)
			refresh(t, db)
			capture(t, d, db)
			for i := range 3 {
				insertMention(t, d, "of no file either")
				first, second := scansOf(t, db, late, ids...)
				require.Zero(t, first+second, i)
			}
			insertMention(t, d, ids[0])
			requireKept(t, db, ids[0])
			requireFree(t, db, ids[1:]...)
			pass(t, db)
			requireKept(t, db, ids[0])
			requireFree(t, db, ids[1:]...)
		})
	}
}

// Capture: nor does a pass. What a session has read the server counts when it ends.
func TestCapturedPassReadsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	testenv.NeedsNewest(t, "statistics of a session that are complete when it has ended")
	d := newQuietServer(t).New(t)
	db := open(t, d)
	refresh(t, db)
	capture(t, d, db)
	scansOfSessions := func() int64 {
		db.Close()
		d.Pool.Reset() // of the test's own sessions, too
		require.Eventually(t, func() bool {
			return testenv.Value[int](t, d, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`) == 0
		}, testTimeout, tick)
		return testenv.Value[int64](t, d, `SELECT seq_scan FROM pg_stat_user_tables WHERE relid = 'note'::regclass`)
	}
	before := scansOfSessions()
	for _, want := range []int64{0, 1} {
		insertMention(t, d, "of no file")
		if want > 0 {
			d.Exec(t, `ALTER TABLE note DISABLE TRIGGER USER`)
		}
		db = open(t, d)
		pass(t, db)
		now := scansOfSessions()
		require.Equal(t, want > 0, now > before)
		before = now
	}
}

// insertManyNotes makes a table that is worth an index.
func insertManyNotes(t testing.TB, d *testenv.Database) {
	t.Helper()
	d.Exec(t, `INSERT INTO note (id, user_id, title, created_at, updated_at) SELECT gen_random_uuid()::text, 'u', repeat('x', 500), 1, 1 FROM generate_series(1, 3000)`)
	d.Exec(t, `ANALYZE note`)
}

const someNote = `INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('n', 'u', '', 1, 1)`

// Capture: whatever is written, and whatever becomes of triggers and tables meanwhile, looks
// find it, before a pass has read it and behind some, and what is written then.
func TestCaptureMissesNothing(t *testing.T) {
	t.Parallel()
	server := newQuietServer(t)
	for name, c := range map[string]struct{ before, after, later, newest string }{
		"inserted":                          {after: `INSERT;`},
		"inserted where there is one":       {before: someNote, after: someNote + ` ON CONFLICT (id) DO UPDATE SET title = 'ID'`},
		"by a statement below an exception": {after: `DO $$ BEGIN BEGIN INSERT; EXCEPTION WHEN division_by_zero THEN NULL; END; END $$`},
		"below savepoints":                  {after: `BEGIN; SAVEPOINT a; ` + someNote + `; ROLLBACK TO a; SAVEPOINT b; INSERT; RELEASE b; COMMIT`},
		"merged": {
			before: someNote,
			after:  `MERGE INTO note USING (VALUES ('n')) v (id) ON note.id = v.id WHEN MATCHED THEN UPDATE SET title = 'ID'`,
			newest: "MERGE",
		},
		"by a key of another table": {
			before: `CREATE TABLE parent (name text PRIMARY KEY); INSERT INTO parent VALUES ('a');
				CREATE TABLE child (id text PRIMARY KEY, name text REFERENCES parent ON UPDATE CASCADE); INSERT INTO child VALUES ('c', 'a'); INSERT INTO child SELECT i, NULL FROM generate_series(1, 5000) i`,
			after: `UPDATE parent SET name = 'ID'`,
		},
		"as a replica":                             {after: `SET session_replication_role = replica; INSERT; RESET session_replication_role`},
		"by a statement of many rows":              {after: `INSERT INTO note (id, user_id, title, created_at, updated_at) SELECT 'n' || i, 'u', 'ID', 1, 1 FROM generate_series(1, 1001) i`},
		"under another key":                        {before: `INSERT;`, after: `UPDATE note SET id = 'another' WHERE title = 'ID'`},
		"all along, in a row that is written anew": {before: `INSERT;`, after: `UPDATE note SET updated_at = 2 WHERE title = 'ID'`},
		"all along, while the rows moved":          {before: `INSERT;`, after: `VACUUM FULL note`},
		"all along, while the table was rewritten": {
			before: `CREATE TABLE extra (id text PRIMARY KEY, v text); INSERT INTO extra VALUES ('e', 'ID'); INSERT INTO extra SELECT i, repeat('x', 500) FROM generate_series(1, 3000) i`,
			after:  `ALTER TABLE extra SET UNLOGGED; ALTER TABLE extra SET LOGGED`,
		},
		"while triggers were disabled": {after: `ALTER TABLE note DISABLE TRIGGER USER; INSERT; ALTER TABLE note ENABLE TRIGGER USER; ALTER TABLE note ENABLE REPLICA TRIGGER pruned_captures_replica`},
		"after a trigger was dropped":  {after: `DROP TRIGGER pruned_captures_insert ON note; INSERT;`},
		"after one got a condition": {
			after: `CREATE OR REPLACE TRIGGER pruned_captures_insert AFTER INSERT ON note REFERENCING NEW TABLE AS changed FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION pruned.capture(); INSERT;`,
		},
		"after the function was another": {after: `CREATE OR REPLACE FUNCTION pruned.capture() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; INSERT;`},
		"in an heir": {
			after: `CREATE TABLE heir () INHERITS (note); INSERT INTO heir (id, user_id, title, created_at, updated_at) VALUES ('n', 'u', 'ID', 1, 1)`,
		},
		"by way of a table that it inherited from for a time": {
			before: `CREATE TABLE ancestor (title text); ` + someNote,
			after:  `ALTER TABLE note INHERIT ancestor; UPDATE ancestor SET title = 'ID'; ALTER TABLE note NO INHERIT ancestor`,
		},
		"by way of a table that it inherits from": {
			before: `CREATE TABLE ancestor (title text); ` + someNote,
			after:  `ALTER TABLE note INHERIT ancestor; UPDATE ancestor SET title = 'ID'`,
			later:  `UPDATE ancestor SET title = 'ID OTHER'`,
		},
		"by parts of one statement": {
			before: someNote,
			after: `WITH a AS (INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('m', 'u', '', 1, 1)), b AS (UPDATE note SET title = 'ID' WHERE id = 'n')
				INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('o', 'u', '', 1, 1)`,
		},
		"by a deferred trigger": {
			before: `CREATE TABLE cause (v text);
				CREATE FUNCTION cause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('n', 'u', NEW.v, 1, 1); RETURN NULL; END $$;
				CREATE CONSTRAINT TRIGGER cause AFTER INSERT ON cause DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cause()`,
			after: `INSERT INTO cause VALUES ('ID')`,
		},
		"by a role that may write and nothing else": {
			before: `CREATE ROLE writer; GRANT INSERT ON note TO writer`,
			after:  `SET ROLE writer; INSERT; RESET ROLE`,
		},
		"where a search path misleads": {
			before: `CREATE SCHEMA other; CREATE TABLE other.changed (id text); CREATE DOMAIN other.text AS pg_catalog.text CHECK (false);
				CREATE OPERATOR other.= (leftarg = oid, rightarg = oid, function = pg_catalog.oidne); CREATE OPERATOR other.<= (leftarg = bigint, rightarg = integer, function = pg_catalog.int84gt)`,
			after: `SET search_path = other, pg_catalog, public; CREATE TEMP TABLE changed (id pg_catalog.text); INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('n', 'u', 'ID', 1, 1); RESET search_path`,
		},
		"beside a column with the name of a variable": {
			before: `CREATE TABLE extra (id text PRIMARY KEY, v text, tg_relid text, size text, noted text)`,
			after:  `INSERT INTO extra VALUES ('e', 'ID'); INSERT INTO extra SELECT i, repeat('x', 500) FROM generate_series(1, 3000) i`,
		},
		"under a key whose text the session's settings change": {
			before: `CREATE TABLE dated (id date PRIMARY KEY, v text); INSERT INTO dated VALUES ('2024-01-02', ''), ('2024-02-01', '')`,
			after:  `SET datestyle = 'SQL, DMY'; UPDATE dated SET v = 'ID' WHERE id = '2024-01-02'; RESET datestyle`,
		},
		"before the notes were emptied": {after: `INSERT; TRUNCATE pruned.captured`},
	} {
		t.Run(name, func(t *testing.T) {
			if c.newest != "" {
				testenv.NeedsNewest(t, c.newest)
			}
			d := server.New(t)
			db := open(t, d)
			ids := newFiles(t, d, 2)
			s := &quietScene{t, d, db, d.Conn(t), ids[0], ids[1]}
			s.exec(c.before)
			refresh(t, db)
			capture(t, d, db)
			s.exec(c.after)
			for range 3 { // looks, and what one has seen, and passes after which tables may be captured again
				requireKept(t, db, s.id)
				requireFree(t, db, s.other)
				refresh(t, db)
			}
			s.exec(cmp.Or(c.later, `INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('later', 'u', 'OTHER', 1, 1)`))
			requireKept(t, db, s.id, s.other)
		})
	}
}

// Capture: a row that goes makes looks read its table, in which no index finds it.
func TestCapturedRowThatIsGone(t *testing.T) {
	t.Parallel()
	d, db, ids := newCaptured(t)
	note := insertMention(t, d, ids[0])
	requireKept(t, db, ids[0])
	d.Exec(t, `DELETE FROM note WHERE id = $1`, note)
	requireFree(t, db, ids...)
	insertMention(t, d, "of no file")
	first, second := scansOf(t, db, true, ids...)
	require.EqualValues(t, 1, first+second)
}

// Capture: what is noted goes with the passes, and what nobody takes away has an end.
func TestCaptureIsBounded(t *testing.T) {
	t.Parallel()
	d, db, ids := newCaptured(t)
	notes := func() int { return testenv.Value[int](t, d, `SELECT count(*) FROM pruned.captured`) }
	insertMention(t, d, "of no file")
	require.Equal(t, 1, notes())
	for range 2 {
		pass(t, db)
	}
	require.Zero(t, notes())

	d.Exec(t, `INSERT INTO pruned.captured SELECT 0, repeat('x', 1000) FROM generate_series(1, 70000)`)
	full := notes()
	insertMention(t, d, ids[0])
	require.Equal(t, full, notes())
	findings, err := db.CheckDatabase(t.Context())
	require.NoError(t, err)
	i := slices.IndexFunc(findings, func(f repo.Finding) bool { return f.Check == "capture" })
	require.Contains(t, findings[i].Detail, "of 0 tables", "what was not noted makes all wait")
	requireKept(t, db, ids[0])
	requireFree(t, db, ids[1])
	for range 2 {
		pass(t, db)
	}
	d.Exec(t, `VACUUM pruned.captured`)
	for range 2 {
		pass(t, db)
	}
	insertMention(t, d, ids[1])
	require.Equal(t, 1, notes())
	requireKept(t, db, ids...)
}

// Capture: an index that does not find a row which was noted hides it from no look, and from
// no pass.
func TestCapturedBehindABlindIndex(t *testing.T) {
	t.Parallel()
	d, db, ids := newCaptured(t)
	blinded(t, d, "note_pkey", func() { insertMention(t, d, ids[0]) })
	requireKept(t, db, ids[0])
	pass(t, db)
	d.Exec(t, `REINDEX TABLE note`)
	requireKept(t, db, ids[0])
	requireFree(t, db, ids[1])
}

// Capture: notes that a crash would take away are not believed.
func TestCaptureUnlogged(t *testing.T) {
	t.Parallel()
	d := newQuietServer(t).New(t)
	db := open(t, d)
	refresh(t, db)
	capture(t, d, db)
	d.Exec(t, `ALTER TABLE pruned.captured SET UNLOGGED`)
	for range 3 {
		refresh(t, db)
		require.False(t, isCaptured(t, d, "note"))
	}
}
