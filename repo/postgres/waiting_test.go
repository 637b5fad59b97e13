package postgres_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// The application links files in any order, many a transaction, while several
// workers delete them, and roll back so that there is always something to fight
// for: nobody is ever the victim of a deadlock.
func TestNobodyDeadlocksWithUs(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 12)
	refresh(t, db)
	var writing, deleting errgroup.Group
	var stop atomic.Bool
	for w := range 3 {
		random := rand.New(rand.NewPCG(7, uint64(w)))
		chat := testenv.InsertChat(t, d.Pool, testenv.Chat{}) // writers of one chat would deadlock each other
		writing.Go(func() error {
			for range 25 {
				if err := linkSome(d, chat.ID, shuffled(random, ids)[:6]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for w := range 2 {
		random := rand.New(rand.NewPCG(8, uint64(w)))
		deleting.Go(func() error {
			for !stop.Load() {
				if err := deleteSome(db, shuffled(random, ids)[:6]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, writing.Wait())
	stop.Store(true)
	require.NoError(t, deleting.Wait())
	requireAll(t, d, len(ids))
}

func shuffled(random *rand.Rand, ids []string) []string {
	ids = slices.Clone(ids)
	random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return ids
}

// linkSome links files to a chat, in this order, in one transaction, and takes
// the links away in another.
func linkSome(d *testenv.Database, chat string, files []string) error {
	ctx := context.Background()
	err := pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		for _, file := range files {
			if _, err := tx.Exec(ctx, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at)
				VALUES (gen_random_uuid(), 'u', $1, $2, 1, 1)`, chat, file); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = d.Pool.Exec(ctx, `DELETE FROM chat_file WHERE chat_id = $1`, chat)
	return err
}

// deleteSome deletes those of the files that nothing references, and thinks
// better of it.
func deleteSome(db *postgres.DB, ids []string) error {
	ctx := context.Background()
	err := db.InTx(ctx, nil, func(tx repo.Tx) error {
		locked, err := db.Lock(ctx, tx, ids, repo.Ages{})
		if err != nil {
			return err
		}
		ids = nil
		for _, f := range locked.Files {
			ids = append(ids, f.ID)
		}
		found, err := db.FindReferences(ctx, tx, ids)
		if err != nil {
			return err
		}
		ids = slices.DeleteFunc(ids, func(id string) bool { _, kept := found.Referenced[id]; return kept })
		if _, err := db.Delete(ctx, tx, ids, 0); err != nil {
			return err
		}
		if _, err := db.RecheckReferences(ctx, tx, found, ids, nil); err != nil {
			return err
		}
		return errUndone
	})
	if errors.Is(err, errUndone) {
		return nil
	}
	return err
}

var errUndone = errors.New("undone")

// What somebody holds longer than we wait for is a passing failure, and nothing
// is deleted.
func TestWaitsAreBounded(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	db := openWith(t, postgres.Options{URL: d.URL, LockTimeout: 50 * time.Millisecond, StatementTimeout: time.Minute})
	ids := newFiles(t, d, 1)
	refresh(t, db)
	look(t, db, ids...)
	migration := d.Conn(t)
	exec(t, migration, `BEGIN; LOCK TABLE note IN ACCESS EXCLUSIVE MODE`)
	_, err := deletion(db, ids, nothing)
	require.Equal(t, repo.Passing, repo.KindOf(err))
	require.Equal(t, lockNotAvailable, repo.SQLState(err))
	require.Equal(t, repo.Passing, repo.KindOf(db.IndexChanges(t.Context())))
	exec(t, migration, `ROLLBACK`)
	requireAll(t, d, 1)
	_, err = deletion(db, ids, nothing)
	require.NoError(t, err)
	requireAll(t, d, 0)
}

// Each statement has its time, and a caller's deadline is the shorter one.
func TestStatementsAreBounded(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	db := openWith(t, postgres.Options{URL: d.URL, StatementTimeout: 100 * time.Millisecond})
	const long = `SELECT pg_sleep(60)`
	sleep := func(ctx context.Context) error {
		return db.InTx(ctx, nil, func(tx repo.Tx) error { _, err := tx.Exec(ctx, long); return err })
	}
	err := sleep(t.Context())
	require.Equal(t, repo.Passing, repo.KindOf(err))
	require.Equal(t, "57014", repo.SQLState(err))

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err = sleep(ctx)
	require.Equal(t, "57014", repo.SQLState(err), "the server gives up before the client")
	require.NoError(t, ctx.Err())

	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	require.Equal(t, repo.Passing, repo.KindOf(sleep(ctx)))
}
