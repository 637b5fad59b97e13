package postgres_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/repotest"
)

// The application links files in any order, many a transaction, while several
// workers delete: nobody is ever the victim of a deadlock, and no link is lost.
func TestNobodyDeadlocksWithUs(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 60)
	refresh(t, db)
	var writing, deleting errgroup.Group
	var linked, deleted atomic.Int32
	var stop atomic.Bool
	for w := range 4 {
		random := rand.New(rand.NewPCG(7, uint64(w)))
		chat := repotest.InsertChat(t, d.Pool, repotest.Chat{}) // writers of one chat would deadlock each other
		writing.Go(func() error {
			for range 15 {
				ok, err := linkSome(d, chat.ID, shuffled(random, ids)[:6])
				if ok {
					linked.Add(1)
				}
				if err != nil {
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
				n, err := deleteSome(db, shuffled(random, ids)[:3])
				deleted.Add(n)
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, writing.Wait())
	stop.Store(true)
	require.NoError(t, deleting.Wait())
	require.NotZero(t, linked.Load()+deleted.Load())
	require.Zero(t, repotest.Value[int](t, d, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`))
	require.EqualValues(t, 60-deleted.Load(), repotest.Value[int](t, d, `SELECT count(*) FROM file`))
}

func shuffled(random *rand.Rand, ids []string) []string {
	ids = slices.Clone(ids)
	random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return ids
}

// linkSome links files to a chat, in this order, in one transaction. One that is
// gone fails it, which is no deadlock.
func linkSome(d *repotest.Database, chat string, files []string) (bool, error) {
	ctx := context.Background()
	tx, err := d.Pool.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	for _, file := range files {
		_, err := tx.Exec(ctx, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at)
			VALUES (gen_random_uuid(), 'u', $1, $2, 1, 1) ON CONFLICT DO NOTHING`, chat, file)
		if sqlState(err) == foreignKeyViolation {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, tx.Commit(ctx)
}

// deleteSome deletes those of the files that nothing references.
func deleteSome(db *postgres.DB, ids []string) (n int32, err error) {
	ctx := context.Background()
	err = db.InTx(ctx, nil, func(tx repo.Tx) error {
		locked, err := db.Lock(ctx, tx, ids, repo.Ages{})
		if err != nil {
			return err
		}
		ids = nil
		for _, f := range locked.Files {
			ids = append(ids, f.ID)
		}
		found, err := db.Look(ctx, tx, ids)
		if err != nil {
			return err
		}
		ids = slices.DeleteFunc(ids, func(id string) bool { _, kept := found.Referenced[id]; return kept })
		deleted, err := db.Delete(ctx, tx, ids)
		if err != nil {
			return err
		}
		n = int32(len(deleted))
		appeared, err := db.LookAgain(ctx, tx, found, ids, nil)
		if len(appeared) > 0 {
			n = 0
			return errAppeared
		}
		return err
	})
	if errors.Is(err, errAppeared) {
		err = nil
	}
	return n, err
}

var errAppeared = errors.New("a mention appeared")

// What somebody holds longer than we wait for is a passing failure, and nothing
// is deleted.
func TestWaitsAreBounded(t *testing.T) {
	t.Parallel()
	d := repotest.New(t)
	db := openWith(t, postgres.Options{URL: d.URL, LockTimeout: 50 * time.Millisecond, StatementTimeout: time.Minute})
	ids := newFiles(t, d, 1)
	refresh(t, db)
	look(t, db, ids...)
	migration := d.Conn(t)
	exec(t, migration, `BEGIN; LOCK TABLE note IN ACCESS EXCLUSIVE MODE`)
	_, err := deletion(db, ids, nothing)
	require.Equal(t, repo.Passing, repo.KindOf(err))
	require.Equal(t, lockNotAvailable, repo.SQLState(err))
	require.Equal(t, repo.Passing, repo.KindOf(db.Pass(t.Context())))
	exec(t, migration, `ROLLBACK`)
	requireAll(t, d, 1)
	_, err = deletion(db, ids, nothing)
	require.NoError(t, err)
	requireAll(t, d, 0)
}

// Each statement has its time, and a caller's deadline is the shorter one.
func TestStatementsAreBounded(t *testing.T) {
	t.Parallel()
	d := repotest.New(t)
	db := openWith(t, postgres.Options{URL: d.URL, StatementTimeout: 100 * time.Millisecond})
	const long = `SELECT pg_sleep(60)`
	sleep := func(ctx context.Context) error {
		return db.InTx(ctx, nil, func(tx repo.Tx) error { _, err := tx.Exec(ctx, long); return err })
	}
	err := sleep(t.Context())
	require.Equal(t, repo.Passing, repo.KindOf(err))
	require.Equal(t, "57014", repo.SQLState(err))

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err = sleep(ctx)
	require.Equal(t, "57014", repo.SQLState(err), "the server gives up before the client")
	require.NoError(t, ctx.Err())

	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	require.Equal(t, repo.Passing, repo.KindOf(sleep(ctx)))
}
