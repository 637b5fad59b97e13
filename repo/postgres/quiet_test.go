package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/postgres/refindex"
	"pruned/repo/testenv"
)

// newQuietServer starts a server where nobody else has transactions.
func newQuietServer(t *testing.T) *testenv.Server {
	t.Helper()
	return testenv.NewServer(t, testenv.ServerOptions{Settings: []string{"autovacuum=off", "max_prepared_transactions=2"}})
}

// scansOf runs one transaction, which looks twice and writes, and counts how often each
// look read the notes. With late the first asks the index alone.
func scansOf(t *testing.T, db *postgres.DB, late bool, ids ...string) (first, second int64) {
	t.Helper()
	return scansAround(t, db, late, func() {}, ids...)
}

// scansAround is scansOf with something between the write and the second look.
func scansAround(t *testing.T, db *postgres.DB, late bool, between func(), ids ...string) (first, second int64) {
	t.Helper()
	return scansOfTable(t, db, "public.note", "seq_scan", late, between, ids...)
}

// scansOfTable is scansAround of a table, whose scans are counted by an expression.
func scansOfTable(t *testing.T, db *postgres.DB, table, counted string, late bool, between func(), ids ...string) (first, second int64) {
	t.Helper()
	inTx(t, db, func(tx repo.Tx) {
		scans := func() int64 {
			n, err := tx.Exec(t.Context(), `SELECT FROM pg_stat_xact_all_tables, generate_series(1, `+counted+`) WHERE relid = $1::regclass`, table)
			require.NoError(t, err)
			return n
		}
		_, err := db.Lock(t.Context(), tx, ids, repo.Ages{})
		require.NoError(t, err)
		began := scans()
		find := db.FindReferences
		if late {
			find = db.FindIndexed
		}
		found, err := find(t.Context(), tx, ids)
		require.NoError(t, err)
		first = scans() - began
		require.NoError(t, db.SetGrace(t.Context(), tx, repo.FromRows, ids, nil))
		between()
		_, err = db.RecheckReferences(t.Context(), tx, found, ids, nil)
		require.NoError(t, err)
		second = scans() - began - first
	})
	return first, second
}

// Quiet: while nobody but ourselves writes, no look but the first reads a table.
func TestQuietLooksReadNothing(t *testing.T) {
	t.Parallel()
	t.Run("at the beginning", func(t *testing.T) { requireQuietLooks(t, false) })
	t.Run("at the end", func(t *testing.T) { requireQuietLooks(t, true) })
}

func requireQuietLooks(t *testing.T, late bool) {
	t.Parallel()
	d := newQuietServer(t).New(t)
	db := open(t, d)
	ids := newFiles(t, d, 2)
	refresh(t, db)
	requireScans := func(want int64, why string) {
		t.Helper()
		first, second := scansOf(t, db, late, ids...)
		if late {
			first, second = second, first
		}
		require.Equal(t, [2]int64{want, 0}, [2]int64{first, second}, why)
	}
	requireScans(1, "the tables were read whole after the last pass over changes")
	requireScans(0, "only we have written")
	requireScans(0, "and again")
	idle := d.Conn(t)
	exec(t, idle, `BEGIN; SELECT pg_current_xact_id()`)
	requireScans(0, "it has written nothing that anybody sees")
	exec(t, idle, `COMMIT`)
	requireScans(1, "it has ended")
	requireScans(0, "and nothing came of it")
	err := db.InTx(t.Context(), nil, func(tx repo.Tx) error {
		return errors.Join(db.SetGrace(t.Context(), tx, repo.FromRows, nil, ids), errors.New("it does not commit"))
	})
	require.Error(t, err)
	requireScans(1, "one of ours did not commit: its number is nobody's")
	requireScans(0, "nothing came of that either")
	d.Exec(t, `CHECKPOINT`)
	requireScans(1, "the server may have crashed, and give numbers out again")
	requireScans(0, "and it is the same one now")
	insertMention(t, d, "of no file")
	requireScans(1, "somebody has written")
	requireScans(1, "the index does not know that row yet")
	pass(t, db)
	requireScans(0, "a pass has read it")
	exec(t, idle, `BEGIN; SELECT pg_current_xact_id()`)
	insertMention(t, d, "of no file either")
	pass(t, db)
	requireScans(1, "that pass's marks are older than what it has read")
	exec(t, idle, `ROLLBACK`)
	pass(t, db)
	requireScans(0, "a pass beside nobody moved them")
	d.Exec(t, `CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
		CREATE TRIGGER nothing AFTER DELETE ON file FOR EACH ROW EXECUTE FUNCTION nothing()`)
	for range 2 {
		first, second := scansOf(t, db, late, ids...)
		require.Equal(t, [2]int64{1, 0}, [2]int64{first, second}, "a trigger may write what it likes, so that everything is read first")
	}
}

// Quiet: transactions of ours disturb no look of another that runs beside them: neither one
// that ends between the other's looks, nor the one around it.
func TestQuietLooksBesideEachOther(t *testing.T) {
	t.Parallel()
	d := newQuietServer(t).New(t)
	db := open(t, d)
	refresh(t, db)
	ids := newFiles(t, d, 2)
	pass(t, db)
	for _, late := range []bool{true, false} {
		scansOf(t, db, late, ids...) // what the pass left
		var inner [2]int64
		first, second := scansAround(t, db, late, func() { inner[0], inner[1] = scansOf(t, db, late, ids[1]) }, ids[0])
		require.Zero(t, [4]int64{first, second, inner[0], inner[1]})
	}
}

// Quiet: while nobody but ourselves writes, a batch asks the catalog no more what it has
// answered; what somebody else did to it is seen.
func TestQuietLooksAskTheCatalogOnce(t *testing.T) {
	t.Parallel()
	d := newQuietServer(t).New(t)
	db := open(t, d)
	ids := newFiles(t, d, 2)
	requireScans := func(asked bool, why string) {
		t.Helper()
		first, second := scansOfTable(t, db, "pg_catalog.pg_inherits", "seq_scan + idx_scan", true, func() {}, ids...)
		require.Equal(t, [2]bool{asked, asked}, [2]bool{first > 0, second > 0}, why)
	}
	refresh(t, db)
	requireScans(true, "nobody has asked since the pass, and the statements are planned")
	for range 2 {
		requireScans(false, "only we have written")
	}
	pass(t, db)
	requireScans(true, "no look has asked at what that pass left")
	requireScans(false, "one has")
	d.Exec(t, `CREATE TABLE plugin (id text PRIMARY KEY)`)
	_, err := tryLook(db, ids...)
	require.ErrorIs(t, err, refindex.ErrIncomplete)
	refresh(t, db)
	requireScans(true, "the table is new")
	requireScans(false, "and known now")
	d.Exec(t, `CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
		CREATE TRIGGER nothing AFTER DELETE ON file FOR EACH ROW EXECUTE FUNCTION nothing()`)
	for range 3 {
		_, second := scansOfTable(t, db, "pg_catalog.pg_inherits", "seq_scan + idx_scan", true, func() {}, ids...)
		require.Positive(t, second, "a trigger may do to the catalog what it likes")
	}
}

// A setting of the server's decides whether keys take rows along, and nobody needs a number to
// change it.
func TestQuietLooksAskTheCatalogWhereKeysDoNotFire(t *testing.T) {
	t.Parallel()
	d := newQuietServer(t).New(t)
	db := open(t, d)
	ids := newFiles(t, d, 2)
	refresh(t, db)
	for range 2 {
		scansOf(t, db, true, ids...)
	}
	replica := d.Conn(t)
	exec(t, replica, `ALTER SYSTEM SET session_replication_role = replica`)
	exec(t, replica, `SELECT pg_reload_conf()`)
	require.Eventually(t, func() (is bool) {
		require.NoError(t, replica.QueryRow(t.Context(), `SELECT current_setting('session_replication_role') = 'replica'`).Scan(&is))
		return is
	}, testTimeout, tick)
	_, err := tryLateLook(db, ids...)
	require.ErrorContains(t, err, "the tables changed since the statement was made")
}

// PrepareLooks plans in so many sessions what every batch asks.
func TestPrepareLooks(t *testing.T) {
	t.Parallel()
	_, db := newDB(t)
	refresh(t, db)
	const sessions = 3
	require.NoError(t, db.PrepareLooks(t.Context(), sessions))
	var requirePlanned func(sessions int)
	requirePlanned = func(sessions int) {
		if sessions == 0 {
			return
		}
		inTx(t, db, func(tx repo.Tx) {
			n, err := tx.Exec(t.Context(), `SELECT FROM pg_prepared_statements WHERE generic_plans > 0 AND statement LIKE '%WITH quiet%'`)
			require.NoError(t, err)
			require.EqualValues(t, 2, n, "a look and its recheck")
			requirePlanned(sessions - 1)
		})
	}
	requirePlanned(sessions)
}

// quietScene is two files, of which a third party begins to mention the first.
type quietScene struct {
	*testing.T
	d         *testenv.Database
	db        *postgres.DB
	conn      *pgx.Conn
	id, other string
}

func (s *quietScene) exec(sql string) {
	s.Helper()
	exec(s, s.conn, strings.NewReplacer("ID", s.id, "OTHER", s.other, "INSERT;",
		`INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES (gen_random_uuid()::text, 'u', '`+s.id+`', 1, 1);`).Replace(sql))
}

// does runs statements.
func does(sql string) func(*quietScene) { return func(s *quietScene) { s.exec(sql) } }

func (s *quietScene) deleteOther() {
	s.Helper()
	appeared, err := deletion(s.db, []string{s.other}, nothing)
	require.NoError(s, err)
	require.Empty(s, appeared)
}

// deleteOtherAnyway deletes it although a row names it.
func (s *quietScene) deleteOtherAnyway() {
	inTx(s, s.db, func(tx repo.Tx) {
		_, err := s.db.Delete(s.Context(), tx, []string{s.other}, 0)
		require.NoError(s, err)
	})
}

func (s *quietScene) copyIn() {
	_, err := s.conn.PgConn().CopyFrom(s.Context(), strings.NewReader("n\tu\t"+s.id+"\t1\t1\n"), `COPY note (id, user_id, title, created_at, updated_at) FROM STDIN`)
	require.NoError(s, err)
}

func (s *quietScene) insertByAnotherProcess() {
	inTx(s, open(s, s.d), func(tx repo.Tx) {
		_, err := tx.Exec(s.Context(), `INSERT INTO public.note (id, user_id, title, created_at, updated_at) VALUES ('n', 'u', $1, 1, 1)`, s.id)
		require.NoError(s, err)
	})
}

// Quiet: whatever somebody else commits after looks that read nothing is found, however it
// was written, and whenever it began; so is what our own deletions have triggers and keys
// write.
func TestQuietMissesNothing(t *testing.T) {
	t.Parallel()
	server := newQuietServer(t)
	for name, c := range map[string]struct{ before, after func(*quietScene) }{
		"written and committed afterwards": {does(``), does(`INSERT;`)},
		"begun before, written and committed afterwards": {
			does(`BEGIN; SELECT pg_current_xact_id()`), does(`INSERT; COMMIT`),
		},
		"written before, committed afterwards": {does(`BEGIN; INSERT;`), does(`COMMIT`)},
		"written below savepoints before, committed afterwards": {
			does(`BEGIN; SELECT pg_current_xact_id(); SAVEPOINT a; SAVEPOINT b; INSERT; RELEASE b`), does(`COMMIT`),
		},
		"prepared before, committed afterwards": {does(`BEGIN; INSERT; PREPARE TRANSACTION 'p'`), does(`COMMIT PREPARED 'p'`)},
		"copied":                                {does(``), (*quietScene).copyIn},
		"by another process of ours":            {does(``), (*quietScene).insertByAnotherProcess},
		"in a table that came meanwhile":        {does(``), does(`CREATE TABLE extra (v text); INSERT INTO extra VALUES ('ID')`)},
		"in a table without a key": {
			does(`CREATE TABLE keyless (v text); INSERT INTO keyless VALUES ('nothing')`), does(`UPDATE keyless SET v = 'ID'`),
		},
		"by a trigger, when we delete another": {
			does(`CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT; RETURN NULL; END $$;
				CREATE TRIGGER tell AFTER DELETE ON file FOR EACH ROW EXECUTE FUNCTION tell()`),
			(*quietScene).deleteOther,
		},
		"by a rule, when we delete another": {
			does(`CREATE RULE tell AS ON DELETE TO file DO ALSO INSERT;`), (*quietScene).deleteOther,
		},
		"all along, in a row that our deletion of another writes anew": {
			does(`CREATE TABLE extra (id int PRIMARY KEY, file_id text REFERENCES file ON DELETE SET NULL, v text);
				INSERT INTO extra VALUES (1, 'OTHER', 'ID')`),
			(*quietScene).deleteOtherAnyway,
		},
	} {
		for _, looks := range []int{0, 3} {
			t.Run(fmt.Sprintf("%s, behind a pass and %d looks", name, looks), func(t *testing.T) {
				requireQuietFinds(t, server.New(t), looks, c.before, c.after)
			})
		}
	}
}

func requireQuietFinds(t *testing.T, d *testenv.Database, looks int, before, after func(*quietScene)) {
	t.Helper()
	db := open(t, d)
	ids := newFiles(t, d, 2)
	s := &quietScene{t, d, db, d.Conn(t), ids[0], ids[1]}
	before(s)
	refresh(t, db)
	pass(t, db)
	for i := range looks {
		scansOf(t, db, i > 0, ids...)
	}
	after(s)
	if _, err := tryLook(db, s.id); errors.Is(err, refindex.ErrIncomplete) { // a table came meanwhile
		refresh(t, db)
	}
	requireKept(t, db, s.id)
	requireKept(t, db, s.id)
}
