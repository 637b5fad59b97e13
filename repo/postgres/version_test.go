package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// What a transaction that is older than the last pass commits after it.
func TestLateCommitsAreSeen(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	for name, c := range map[string]struct{ write, commit string }{
		"an insert":       {`BEGIN; INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('n', 'u', 'ID', 1, 1)`, `COMMIT`},
		"an update":       {`BEGIN; UPDATE note SET title = 'ID' WHERE id = 'old'`, `COMMIT`},
		"in a savepoint":  {`BEGIN; SAVEPOINT a; UPDATE note SET title = 'ID' WHERE id = 'old'; RELEASE a; SAVEPOINT b`, `ROLLBACK TO b; COMMIT`},
		"number taken":    {`BEGIN; SELECT pg_current_xact_id()`, `UPDATE note SET title = 'ID' WHERE id = 'old'; COMMIT`},
		"new savepoint":   {`BEGIN; SELECT pg_current_xact_id()`, `SAVEPOINT a; UPDATE note SET title = 'ID' WHERE id = 'old'; RELEASE a; COMMIT`},
		"a row lock":      {`BEGIN; UPDATE note SET title = 'ID' WHERE id = 'old'; SELECT FROM note FOR UPDATE`, `COMMIT`},
		"deferred":        {`BEGIN; DELETE FROM note WHERE id = 'old'; INSERT INTO note (id, user_id, title) VALUES ('old', 'u', 'ID')`, `COMMIT`},
		"serializable":    {`BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE note SET title = 'ID' WHERE id = 'old'`, `COMMIT`},
		"a copy of a row": {`BEGIN; INSERT INTO note SELECT 'copy', user_id, 'ID' FROM note LIMIT 1`, `COMMIT`},
	} {
		t.Run(name, func(t *testing.T) {
			ids := newFiles(t, d, 2)
			d.Exec(t, `TRUNCATE note CASCADE`)
			d.Exec(t, `INSERT INTO note (id, user_id, title) VALUES ('old', 'u', 't')`)
			refresh(t, db)
			writer := d.Conn(t)
			exec(t, writer, withID(c.write, ids[0]))
			for range 3 {
				insertMention(t, d, "younger")
				pass(t, db)
				requireFree(t, db, ids...)
			}
			exec(t, writer, withID(c.commit, ids[0]))
			requireKept(t, db, ids[0])
			pass(t, db)
			requireKept(t, db, ids[0])
			readAll(t, d, db)
			requireKept(t, db, ids[0])
			requireFree(t, db, ids[1])
		})
	}
}

// A look counts rows of transactions that are newer than its own: their age is
// negative.
func TestNewerTransactionsAreSeen(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 3)
	insertMention(t, d, "older")
	refresh(t, db)
	inTx(t, db, func(tx tx) {
		// Our number, and the point from which age() counts, are older than
		// what comes.
		found, err := db.FindReferences(t.Context(), tx, ids)
		require.NoError(t, err)
		require.Empty(t, found.Referenced)
		_, err = tx.Exec(t.Context(), `SELECT pg_current_xact_id()`)
		require.NoError(t, err)
		insertMention(t, d, ids[0])
		writer := d.Conn(t)
		exec(t, writer, `BEGIN; SAVEPOINT a; SAVEPOINT b`)
		exec(t, writer, `INSERT INTO note (id, user_id, title) VALUES ('s', 'u', $1)`, ids[1])
		exec(t, writer, `COMMIT`)
		found, err = db.FindReferences(t.Context(), tx, ids)
		require.NoError(t, err)
		require.Len(t, found.Referenced, 2)
	})
}

// What moves, freezes or rewrites rows changes nothing of what is known. VACUUM FULL also
// locks the catalogs that all databases of a server share: this server is the test's own.
func TestMaintenanceLosesNothing(t *testing.T) {
	t.Parallel()
	d := testenv.NewServer(t, testenv.ServerOptions{}).New(t)
	db := open(t, d)
	for _, maintenance := range []string{
		`VACUUM (FREEZE)`, `VACUUM FULL`, `CLUSTER note USING note_pkey`,
		`ALTER TABLE note ALTER title TYPE varchar`, `ALTER TABLE pinned_note SET UNLOGGED; ALTER TABLE note SET UNLOGGED`, `REINDEX DATABASE ` + d.Name,
	} {
		t.Run(maintenance, func(t *testing.T) {
			ids := newFiles(t, d, 3)
			insertMention(t, d, ids[0])
			refresh(t, db)
			readAll(t, d, db)
			insertMention(t, d, ids[1]) // not read yet
			for range 2 {
				d.Exec(t, maintenance)
				pass(t, db)
				refresh(t, db)
				requireKept(t, db, ids[:2]...)
				requireFree(t, db, ids[2])
			}
		})
	}
}

// Rows that VACUUM FULL moves while a full pass runs are read all the same.
func TestVacuumFullDuringPasses(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	const n = 50000 // of which each page may have twice as many as the one before
	ids := newFiles(t, d, 3)
	d.Exec(t, `INSERT INTO note (id, user_id, title) SELECT lpad(i::text, 6, '0'), 'u', 't' FROM generate_series(1, $1::int) i`, n)
	for i, at := range []int{1, n / 2, n} {
		d.Exec(t, `UPDATE note SET title = $1 WHERE id = $2`, ids[i], fmt.Sprintf("%06d", at))
	}
	ctx, stop := cancelled(t)
	keeper, moved := d.Conn(t), make(chan int)
	go func() {
		times := 0
		for ; ctx.Err() == nil; times++ {
			// Freed at the front, so that rows move there.
			for _, sql := range []string{`DELETE FROM note WHERE id = (SELECT min(id) FROM note WHERE title = 't')`, `VACUUM FULL note`} {
				if _, err := keeper.Exec(context.Background(), sql); err != nil {
					times = -1 << 30
				}
			}
		}
		moved <- times
	}()
	pages := 0
	require.NoError(t, patiently(func() error {
		return db.IndexAll(t.Context(), func(table string, done, estimate int64) {
			if table == "public.note" {
				pages++
			}
			require.GreaterOrEqual(t, estimate, done)
		})
	}))
	requireKept(t, db, ids...)
	stop()
	require.Positive(t, <-moved)
	require.GreaterOrEqual(t, pages, 4)
	readAll(t, d, db)
	requireKept(t, db, ids...)
}

// A full pass that was interrupted goes on where it was, unless the table lies in
// another file by then. Whatever became of rows meanwhile, none is missed.
func TestInterruptedRefreshGoesOn(t *testing.T) {
	t.Parallel()
	const n = 40000
	const front = `DELETE FROM note WHERE id < '015000' AND id > '000002'; `
	for name, c := range map[string]struct {
		meanwhile string
		anew      bool
	}{
		"as it was":              {`SELECT`, false},
		"moved to where it was":  {front + `VACUUM note; UPDATE note SET title = title || '.' WHERE id >= '039900'`, false},
		"moved into another one": {front + `VACUUM FULL note`, true},
		"in another order":       {`UPDATE note SET user_id = id; CLUSTER note USING note_pkey`, true},
		"written anew":           {`CREATE TABLE kept AS TABLE note; TRUNCATE note CASCADE; INSERT INTO note TABLE kept`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, db := newDB(t)
			ids := newFiles(t, d, 4)
			d.Exec(t, `INSERT INTO note (id, user_id, title) SELECT lpad(i::text, 6, '0'), 'u',
				CASE i WHEN 1 THEN $2 WHEN $1::int / 2 THEN $3 WHEN $1::int THEN $4 ELSE 't' END FROM generate_series(1, $1::int) i`, n, ids[0], ids[2], ids[3])
			db.EndEachPage()
			ctx, interrupt := cancelled(t)
			var committed, read int64
			err := db.IndexAll(ctx, func(table string, done, _ int64) {
				if table != "public.note" {
					return
				}
				if committed, read = read, done; done >= 12000 {
					interrupt()
				}
			})
			require.ErrorIs(t, err, ctx.Err())
			require.Less(t, read, int64(n/2), "the rest was to be read later")
			_, err = tryLook(db, ids...)
			require.Error(t, err)
			d.Exec(t, `UPDATE note SET title = $1 WHERE id = '000002'`, ids[1])
			d.Exec(t, `UPDATE note SET title = 'none' WHERE id = '000001'`)
			for _, sql := range strings.Split(c.meanwhile, "; ") {
				d.Exec(t, sql)
			}
			var first int64
			require.NoError(t, db.IndexAll(t.Context(), func(table string, done, _ int64) {
				if table == "public.note" && first == 0 {
					first = done
				}
			}))
			requireKept(t, db, ids[1:]...)
			require.NotContains(t, look(t, db, ids...).Referenced, ids[0])
			require.Equal(t, c.anew, first < committed, "%d rows had been read, and then %d", committed, first)
		})
	}
}
