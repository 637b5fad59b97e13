package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/sqlite"
	"pruned/repo/testenv"
)

func newFile(t testing.TB, d *testenv.SQLite) string {
	t.Helper()
	id := uuid.NewString()
	d.Exec(t, `INSERT INTO file (id, user_id, filename, path, created_at, updated_at) VALUES ($1, 'u', 'f', $2, 1, 1)`, id, "/data/"+id+"_f")
	return id
}

// newFiles makes several in one transaction.
func newFiles(t testing.TB, d *testenv.SQLite, n int) (ids []string) {
	t.Helper()
	for range n {
		ids = append(ids, uuid.NewString())
	}
	d.Exec(t, `INSERT INTO file (id, user_id, filename, path, created_at, updated_at)
		SELECT value, 'u', 'f', '/data/' || value || '_f', 1, 1 FROM json_each('["' || $1 || '"]')`, strings.Join(ids, `","`))
	return ids
}

func insertMention(t testing.TB, d *testenv.SQLite, id string) {
	t.Helper()
	d.Exec(t, `INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ($1, 'u', $2, 1, 1)`, uuid.NewString(), id)
}

// remove deletes those of the files that nothing mentions.
func remove(ctx context.Context, db *sqlite.DB, ids ...string) (deleted []repo.Deleted, err error) {
	err = db.InTx(ctx, nil, func(tx repo.Tx) error {
		if _, err := db.Lock(ctx, tx, ids, repo.Ages{}); err != nil {
			return err
		}
		look, err := db.FindReferences(ctx, tx, ids)
		if err != nil {
			return err
		}
		var free []string
		for _, id := range ids {
			if _, mentioned := look.Referenced[id]; !mentioned && !look.Unknown[id] {
				free = append(free, id)
			}
		}
		deleted, err = db.Delete(ctx, tx, free, 0)
		return err
	})
	return deleted, err
}

func TestNobodyWritesDuringATransaction(t *testing.T) {
	t.Parallel()
	for name, d := range both(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, ctx := open(t, d), context.Background()
			id := newFile(t, d)
			require.NoError(t, db.IndexAll(ctx, nil))
			_, err := d.DB.Exec(`PRAGMA busy_timeout = 0`)
			require.NoError(t, err)
			d.DB.SetMaxOpenConns(1)
			require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
				_, err := db.Lock(ctx, tx, []string{id}, repo.Ages{})
				require.NoError(t, err)
				look, err := db.FindReferences(ctx, tx, []string{id})
				require.NoError(t, err)
				require.Empty(t, look.Referenced)
				_, err = d.DB.Exec(`INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('n', 'u', $1, 1, 1)`, id)
				require.ErrorContains(t, err, "locked")
				_, err = db.Delete(ctx, tx, []string{id}, 0)
				require.NoError(t, err)
				return nil
			}))
			insertMention(t, d, id) // the lock is free
			require.Zero(t, d.Count(t, `SELECT count(*) FROM file`))
		})
	}
}

func both(t *testing.T) map[string]*testenv.SQLite {
	return map[string]*testenv.SQLite{"wal": testenv.NewSQLite(t), "rollback journal": testenv.NewSQLiteRollback(t)}
}

// TestLookSeesWhatWasWrittenSince: by the application, without any pass in between,
// and by ourselves, which is not taken for a change.
func TestLookSeesWhatWasWrittenSince(t *testing.T) {
	t.Parallel()
	for name, d := range both(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, ctx := open(t, d), context.Background()
			var ids []string
			for range 20 {
				ids = append(ids, newFile(t, d))
			}
			require.NoError(t, db.IndexAll(ctx, nil))
			for i, id := range ids {
				if i%2 == 0 {
					insertMention(t, d, id)
				}
				deleted, err := remove(ctx, db, id)
				require.NoError(t, err)
				require.Len(t, deleted, i%2)
			}
			require.EqualValues(t, 10, d.Count(t, `SELECT count(*) FROM file`))
		})
	}
}

// TestReadsDoNotLock: what only reads, and what has not yet written, holds nobody
// up: tombstones are carried out in such transactions.
func TestReadsDoNotLock(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLite(t)
	db, ctx := open(t, d), context.Background()
	require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		return db.AddTombstones(ctx, tx, []repo.Tombstone{{Kind: repo.Bytes, FileID: "a", Name: "a"}})
	}))
	require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		due, err := db.FetchDue(ctx, tx, repo.Bytes, 10)
		require.NoError(t, err)
		require.Len(t, due, 1)
		living, err := db.StillReferenced(ctx, tx, due)
		require.NoError(t, err)
		require.Empty(t, living)
		newFile(t, d)
		return db.Settle(ctx, tx, repo.Settlement{Done: []int64{due[0].Seq}})
	}))
	waiting, err := db.Backlog(ctx)
	require.NoError(t, err)
	require.Zero(t, waiting.Count)
}

func TestABusyApplicationIsAPassingFailure(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLite(t)
	db := open(t, d)
	id := newFile(t, d)
	conn, err := d.DB.Conn(context.Background())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(context.Background(), `BEGIN IMMEDIATE`)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err = remove(ctx, db, id)
	require.Error(t, err)
	require.Error(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		_, err := db.Lock(ctx, tx, []string{id}, repo.Ages{})
		require.Equal(t, repo.Passing, repo.KindOf(err))
		return err
	}))
	_, err = conn.ExecContext(context.Background(), `ROLLBACK`)
	require.NoError(t, err)
	require.NoError(t, db.IndexAll(context.Background(), nil))
	deleted, err := remove(context.Background(), db, id)
	require.NoError(t, err)
	require.Len(t, deleted, 1)
}

func TestATriggerThatRaisesIsAPermanentFailure(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLite(t)
	db, ctx := open(t, d), context.Background()
	id := newFile(t, d)
	d.Exec(t, `CREATE TRIGGER guard BEFORE DELETE ON file BEGIN SELECT RAISE(ABORT, 'never'); END`)
	require.NoError(t, db.IndexAll(ctx, nil))
	_, err := remove(ctx, db, id)
	require.ErrorContains(t, err, "never")
	require.Equal(t, repo.Permanent, repo.KindOf(err))
	d.Exec(t, `DROP TRIGGER guard`)
	d.Exec(t, `CREATE TRIGGER guard BEFORE DELETE ON file BEGIN SELECT RAISE(IGNORE); END`)
	_, err = remove(ctx, db, id)
	require.ErrorContains(t, err, "only 0 went")
	require.Equal(t, repo.Permanent, repo.KindOf(err))
	require.EqualValues(t, 1, d.Count(t, `SELECT count(*) FROM file`))
}

// dieVariable names the database in which this process dies, within a transaction.
const dieVariable = "SQLITE_TEST_DIE"

func die(path string) {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, sqlite.Options{Path: path})
	must(err)
	must(db.IndexAll(ctx, nil))
	must(db.InTx(ctx, nil, func(tx repo.Tx) error {
		_, err := db.Delete(ctx, tx, strings.Fields(os.Getenv(dieVariable+"_IDS")), 0)
		must(err)
		must(db.AddTombstones(ctx, tx, []repo.Tombstone{{Kind: repo.Bytes, FileID: "a", Name: "a"}}))
		fmt.Println("now")
		select {}
	}))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// TestAKilledProcessLeavesNothing: neither its changes nor its lock.
func TestAKilledProcessLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, d := range both(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, ctx := open(t, d), context.Background()
			ids := []string{newFile(t, d), newFile(t, d)}
			require.NoError(t, db.IndexAll(ctx, nil))
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), dieVariable+"="+d.Path, dieVariable+"_IDS="+strings.Join(ids, " "))
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "now\n", line)
			require.NoError(t, cmd.Process.Kill())
			require.Error(t, cmd.Wait())

			require.EqualValues(t, 2, d.Count(t, `SELECT count(*) FROM file`))
			waiting, err := db.Backlog(ctx)
			require.NoError(t, err)
			require.Zero(t, waiting.Count)
			insertMention(t, d, ids[0])
			deleted, err := remove(ctx, db, ids...)
			require.NoError(t, err)
			require.Equal(t, []repo.Deleted{{ID: ids[1], Path: "/data/" + ids[1] + "_f"}}, deleted)
			var ok string
			require.NoError(t, d.DB.QueryRow(`PRAGMA integrity_check`).Scan(&ok))
			require.Equal(t, "ok", ok)
		})
	}
}
