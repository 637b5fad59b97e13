package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

func strict(t testing.TB, d *testenv.Database) *postgres.DB {
	t.Helper()
	return openWith(t, postgres.Options{URL: d.URL, Schema: d.Schema, Strict: true})
}

var errKept = errors.New("in use")

// wholeDeletion deletes files or rolls back with errKept. before is called ahead
// of the last look, after between it and the commit.
func wholeDeletion(db *postgres.DB, ids []string, before, after func()) error {
	ctx := context.Background()
	return db.InTx(ctx, nil, func(tx repo.Tx) error {
		locked, err := db.Lock(ctx, tx, ids, repo.Ages{})
		if err != nil {
			return err
		}
		found, err := db.FindReferences(ctx, tx, ids)
		if err != nil {
			return err
		}
		if len(locked.Files) < len(ids) || len(found.Referenced)+len(found.Unknown) > 0 {
			return errKept
		}
		if _, err := db.Delete(ctx, tx, ids, 0); err != nil {
			return err
		}
		before()
		appeared, err := db.RecheckReferences(ctx, tx, found, ids, nil)
		if err == nil && len(appeared.References) > 0 {
			return errKept
		}
		after()
		return err
	})
}

// attach mentions a file in JSON and says whether the file was there. A statement
// that waited for a lock on its table sees what was committed meanwhile.
func attach(ctx context.Context, conn *pgx.Conn, file string) (bool, error) {
	tag, err := conn.Exec(ctx, `INSERT INTO note (id, user_id, title, data, created_at, updated_at)
		SELECT $1, 'u', 't', json_build_object('files', $2::text), 1, 1 FROM file WHERE id = $2`, uuid.NewString(), file)
	return tag.RowsAffected() == 1, err
}

// Between the last look and the commit a mention in JSON waits, in whatever table,
// and then finds no file; without the option it is lost.
func TestStrictKeepsWritersOut(t *testing.T) {
	t.Parallel()
	d, plain := newDB(t)
	ids := newFiles(t, d, 3)
	d.Exec(t, `CREATE TABLE keyless (v text); CREATE SCHEMA elsewhere; CREATE TABLE split (id text, v text) PARTITION BY HASH (id);
		CREATE TABLE elsewhere.one PARTITION OF split FOR VALUES WITH (modulus 1, remainder 0)`)
	chat := testenv.InsertChat(t, d.Pool, testenv.Chat{})
	refresh(t, plain)
	conn := d.Conn(t)
	exec(t, conn, `SET lock_timeout = '100ms'`)
	err := wholeDeletion(strict(t, d), ids[:1], nothing, func() {
		for _, sql := range []string{
			`INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('n', 'u', 'ID', 1, 1)`,
			`UPDATE chat SET title = 'ID'`, `INSERT INTO keyless VALUES ('ID')`, `INSERT INTO split VALUES ('a', 'ID')`,
		} {
			_, err := conn.Exec(t.Context(), withID(sql, ids[0]))
			require.Equal(t, lockNotAvailable, sqlState(err), sql)
		}
		// Reading is free, and so is what cannot mention a file unseen.
		exec(t, conn, `SELECT FROM chat; SELECT FROM note`)
		exec(t, conn, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ('l', 'u', '`+chat.ID+`', '`+ids[1]+`', 1, 1)`)
	})
	require.NoError(t, err)
	requireAll(t, d, 2)
	attached, err := attach(t.Context(), conn, ids[0])
	require.NoError(t, err)
	require.False(t, attached)

	require.NoError(t, wholeDeletion(plain, ids[2:], nothing, func() {
		attached, err := attach(t.Context(), conn, ids[2])
		require.NoError(t, err)
		require.True(t, attached, "without the option this is lost")
	}))
	requireAll(t, d, 1)
}

// A table that came before the look is locked, whatever plan another worker left
// since. On a server of its own nothing is committed between look and lock.
func TestStrictLocksTheTablesOfItsLook(t *testing.T) {
	t.Parallel()
	d := testenv.NewServer(t, testenv.ServerOptions{}).New(t)
	db := strict(t, d)
	ids := newFiles(t, d, 1)
	refresh(t, db)
	look(t, db, ids...)
	bringBack := db.KeepPlan()
	d.Exec(t, `CREATE TABLE extra (id int PRIMARY KEY, v text)`)
	refresh(t, db)
	conn := d.Conn(t)
	exec(t, conn, `SET lock_timeout = '100ms'`)
	require.NoError(t, wholeDeletion(db, ids, bringBack, func() {
		_, err := conn.Exec(t.Context(), `INSERT INTO extra VALUES (1, $1)`, ids[0])
		require.Equal(t, lockNotAvailable, sqlState(err))
	}))
	requireAll(t, d, 0)
}

// What was committed before the lock is found, also by a transaction that had its
// number before the look.
func TestStrictLooksAgain(t *testing.T) {
	t.Parallel()
	d, plain := newDB(t)
	db := strict(t, d)
	ids := newFiles(t, d, 3)
	refresh(t, plain)
	require.ErrorIs(t, wholeDeletion(db, ids[:1], func() { insertMention(t, d, ids[0]) }, nothing), errKept)

	writer := d.Conn(t)
	exec(t, writer, `BEGIN; SELECT pg_current_xact_id()`)
	require.ErrorIs(t, wholeDeletion(db, ids[1:2], func() {
		exec(t, writer, `INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('n', 'u', '`+ids[1]+`', 1, 1)`)
		exec(t, writer, `COMMIT`)
	}, nothing), errKept)
	require.NoError(t, wholeDeletion(db, ids[2:], nothing, nothing))
	requireAll(t, d, 2)
}

// While somebody writes nothing is deleted, and the next try finds what was
// written.
func TestStrictGivesWay(t *testing.T) {
	t.Parallel()
	d, plain := newDB(t)
	db := strict(t, d)
	ids := newFiles(t, d, 1)
	refresh(t, plain)
	writer := d.Conn(t)
	err := wholeDeletion(db, ids, func() {
		exec(t, writer, `BEGIN; INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('n', 'u', '`+ids[0]+`', 1, 1)`)
	}, nothing)
	require.Equal(t, repo.Passing, repo.KindOf(err))
	require.Equal(t, lockNotAvailable, repo.SQLState(err))
	exec(t, writer, `COMMIT`)
	require.ErrorIs(t, wholeDeletion(db, ids, nothing, nothing), errKept)
	requireAll(t, d, 1)
}

// Several workers delete at once, also where a trigger writes to a table that
// each of them locks.
func TestStrictWorkersDoNotRefuseEachOther(t *testing.T) {
	t.Parallel()
	d, plain := newDB(t)
	d.Exec(t, `CREATE TABLE audit (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, v text)`)
	d.Exec(t, auditTriggers["plain"])
	const workers, each = 4, 15
	ids := newFiles(t, d, workers*each)
	refresh(t, plain)
	var work errgroup.Group
	for w := range workers {
		db := strict(t, d)
		work.Go(func() error {
			for i := range each {
				err := patiently(func() error { return wholeDeletion(db, ids[w*each+i:w*each+i+1], nothing, nothing) })
				if err != nil {
					return fmt.Errorf("worker %d: %w", w, err)
				}
			}
			return nil
		})
	}
	require.NoError(t, work.Wait())
	requireAll(t, d, 0)
	require.Equal(t, workers*each, testenv.Value[int](t, d, `SELECT count(*) FROM audit`))
}

// A role that may only read cannot lock; it is told so.
func TestStrictWantsPrivileges(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	role, address := newRole(t, d)
	db := openWith(t, postgres.Options{URL: address, Schema: d.Schema, Strict: true})
	ids := newFiles(t, d, 1)
	refresh(t, db)
	err := wholeDeletion(db, ids, nothing, nothing)
	require.Equal(t, repo.Environment, repo.KindOf(err))
	missing := examined(t, db, "privileges")
	require.False(t, missing.OK)
	require.Contains(t, missing.Remedy, role)
	d.Exec(t, missing.Remedy)
	require.NoError(t, wholeDeletion(db, ids, nothing, nothing))
	require.True(t, examined(t, db, "privileges").OK)
}

// Whatever was attached to a file that was there is never lost, whenever the
// attach begins.
func TestStrictLosesNoAttach(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	db := strict(t, d)
	ids := newFiles(t, d, 60)
	refresh(t, db)
	conn := d.Conn(t)
	deleted, attached := 0, 0
	for i, id := range ids {
		result, begun := make(chan error, 1), false
		begin := func(at int) func() {
			return func() {
				if at != i%3 {
					return
				}
				begun = true
				go func() {
					ok, err := attach(context.Background(), conn, id)
					if ok {
						err = errKept
					}
					result <- err
				}()
				// As long as the attach takes, or more.
				testenv.Value[int](t, d, `SELECT count(*) FROM generate_series(1, 10000)`)
			}
		}
		begin(0)()
		err := wholeDeletion(db, []string{id}, begin(1), begin(2))
		switch {
		case err == nil:
			deleted++
		case !errors.Is(err, errKept):
			require.Equal(t, repo.Passing, repo.KindOf(err), err)
		}
		if !begun {
			continue
		}
		if attach := <-result; attach != nil {
			attached++
			require.ErrorIs(t, attach, errKept)
			require.Error(t, err, "an attach was lost")
		}
	}
	t.Logf("%d deleted, %d attached", deleted, attached)
	require.NotZero(t, deleted)
	require.NotZero(t, attached)
}
