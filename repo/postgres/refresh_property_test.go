package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/postgres/refindex"
	"pruned/repo/testenv"
)

// world is writers beside refreshers beside lookers.
type world struct {
	t       *testing.T
	d       *testenv.Database
	db      *postgres.DB
	random  *rand.Rand
	writers []*writer
	keeper  *pgx.Conn // of the house
	tearing string    // what it does besides to the triggers that capture rows
	seldom  bool      // passes run only where a writer waits for one

	mu      sync.Mutex
	changed *sync.Cond // a pass ended, or somebody waits for one, or nobody will any more
	passes  int
	waiting int
	looks   int // that were compared with what was certain
}

// Whatever writers do, in short transactions and long ones, while passes run:
// no look calls a file free that a committed row mentions, and in every pause
// the answer is that of a naive search of all rows.
func TestRefreshMissesNothing(t *testing.T) {
	t.Parallel()
	for _, captures := range []bool{false, true} {
		for _, seldom := range []bool{false, true} {
			t.Run(fmt.Sprintf("captures=%t,seldom=%t", captures, seldom), func(t *testing.T) { requireRefreshMissesNothing(t, captures, seldom) })
		}
	}
}

func requireRefreshMissesNothing(t *testing.T, captures, seldom bool) {
	t.Parallel()
	// A server of its own: its long transactions hold back everybody's marks.
	d := testenv.NewServer(t, testenv.ServerOptions{}).New(t)
	db := open(t, d)
	d.Exec(t, writtenTables)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := &world{t: t, d: d, db: db, seldom: seldom, random: rand.New(rand.NewPCG(seed, 0))}
	w.changed = sync.NewCond(&w.mu)
	w.keeper = d.Conn(t)
	exec(t, w.keeper, `SET lock_timeout = '5ms'`)
	for i := range 4 {
		files := newFiles(t, d, 8)
		for range 2 { // mentioned before they have a row
			files = append(files, uuid.NewString())
		}
		w.writers = append(w.writers, newWriter(d, d.Conn(t), fmt.Sprintf("writer%d", i), rand.New(rand.NewPCG(seed, uint64(i+1))), files, w.awaitPass))
	}
	refresh(t, db)
	if captures {
		w.tearing = `ALTER TABLE folder DISABLE TRIGGER USER`
		capture(t, d, db)
	}
	for round := range 3 {
		w.busy()
		w.quiet(round)
		if captures {
			capture(t, d, db)
		}
	}
	t.Logf("%d passes, %d answers compared", w.passes, w.looks)
	require.NotZero(t, w.looks)
}

// busy is a time in which everybody is at work at once.
func (w *world) busy() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var writing, others errgroup.Group
	for _, writer := range w.writers {
		writing.Go(func() error {
			for range 8 {
				if err := writer.transact(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	others.Go(func() error { return w.refreshAll(ctx) })
	for range 2 {
		random := rand.New(rand.NewPCG(w.random.Uint64(), 0))
		others.Go(func() error { return w.lookAll(ctx, random) })
	}
	others.Go(func() error { return w.maintain(ctx, w.keeper) })
	require.NoError(w.t, writing.Wait())
	stop()
	w.mu.Lock() // who is about to wait either sees the end or hears of it
	w.changed.Broadcast()
	w.mu.Unlock()
	require.NoError(w.t, others.Wait())
}

// refreshAll passes until the writers have ended, also where they wait for it.
func (w *world) refreshAll(ctx context.Context) error {
	for i := 0; w.awaitNeed(ctx); i++ {
		refresh := w.db.IndexChanges
		if i%5 == 0 {
			refresh = func(ctx context.Context) error { return w.db.IndexAll(ctx, nil) }
		}
		err := refresh(context.Background())
		if kind := repo.KindOf(err); err != nil && kind != repo.Passing && kind != repo.Unknown {
			return err
		}
		w.mu.Lock()
		w.passes++
		w.changed.Broadcast()
		w.mu.Unlock()
	}
	return nil
}

// awaitNeed returns when another pass is to run; false when none is any more.
func (w *world) awaitNeed(ctx context.Context) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.seldom && w.waiting == 0 && ctx.Err() == nil {
		w.changed.Wait()
	}
	return ctx.Err() == nil
}

// awaitPass returns when a pass has begun and ended: the one under way may have
// begun before.
func (w *world) awaitPass() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting++
	w.changed.Broadcast()
	for until := w.passes + 2; w.passes < until; {
		w.changed.Wait()
	}
	w.waiting--
}

// lookAll looks, and compares with what was certain from before the look until
// after it: for all files, or for one, as the index and the last rows tell.
func (w *world) lookAll(ctx context.Context, random *rand.Rand) error {
	for i := 0; ctx.Err() == nil; i++ {
		before := w.certain()
		look := tryLook
		if i%8 != 0 {
			look = tryLateLook
			if files := slices.Sorted(maps.Keys(before)); len(files) > 0 {
				one := files[random.IntN(len(files))]
				before = map[string]int{one: before[one]}
			}
		}
		found, err := look(w.db, slices.Collect(maps.Keys(before))...)
		if errors.Is(err, refindex.ErrIncomplete) || repo.KindOf(err) == repo.Passing && err != nil {
			continue
		}
		if err != nil {
			return err
		}
		after := w.certain()
		for file, epoch := range before {
			if now, still := after[file]; !still || now != epoch {
				continue
			}
			if _, kept := found.Referenced[file]; !kept && !found.Unknown[file] {
				return fmt.Errorf("file %s was called free", file)
			}
			w.mu.Lock()
			w.looks++
			w.mu.Unlock()
		}
	}
	return nil
}

func (w *world) certain() map[string]int {
	all := map[string]int{}
	for _, writer := range w.writers {
		maps.Copy(all, writer.certain())
	}
	return all
}

// maintain moves and freezes rows where nobody holds the table: VACUUM FULL
// would make everybody else wait behind it.
func (w *world) maintain(ctx context.Context, conn *pgx.Conn) error {
	for ctx.Err() == nil {
		for _, sql := range []string{`VACUUM (FREEZE) note`, `VACUUM FULL message`, `VACUUM`, `CLUSTER folder USING folder_pkey`, w.tearing} {
			_, err := conn.Exec(context.Background(), sql)
			if err != nil && sqlState(err) != lockNotAvailable {
				return err
			}
		}
	}
	return nil
}

// quiet compares every file with a naive search, as the passes left the index,
// and after a refresh. Between the rounds files appear that were mentioned
// before, others go and come back, and a column mentions one in every row.
func (w *world) quiet(round int) {
	files := testenv.Column[string](w.t, w.d, `SELECT id FROM file ORDER BY id`)
	require.NoError(w.t, w.db.IndexChanges(context.Background()))
	w.compare(files, false)
	refresh(w.t, w.db)
	w.compare(files, true)
	writer := w.writers[round%len(w.writers)]
	if late := writer.files[8+round/len(w.writers)]; !slices.Contains(files, late) {
		testenv.InsertFile(w.t, w.d.Pool, testenv.File{ID: late, CreatedAt: time.Now()})
		files = append(files, late)
		w.compare(files, false)
	}
	gone := writer.files[round/len(w.writers)]
	w.d.Exec(w.t, `DELETE FROM file WHERE id = $1`, gone)
	require.NoError(w.t, w.db.IndexChanges(context.Background()))
	testenv.InsertFile(w.t, w.d.Pool, testenv.File{ID: gone, CreatedAt: time.Now()})
	w.compare(files, false)
	require.NoError(w.t, w.db.IndexChanges(context.Background()))
	w.compare(files, false)
	if round == 1 {
		w.d.Exec(w.t, `ALTER TABLE note ADD extra text DEFAULT '`+testenv.NewFile(w.t, w.d.Pool)+`'`)
	}
}

// compare demands that what is referenced is never called free; exactly, also
// that what is free is known to be.
func (w *world) compare(files []string, exactly bool) {
	w.t.Helper()
	truth := w.naive()
	found, err := tryLook(w.db, files...)
	if errors.Is(err, refindex.ErrIncomplete) && !exactly {
		return // VACUUM FULL took the missing values of a column
	}
	require.NoError(w.t, err)
	for _, file := range files {
		_, kept := found.Referenced[file]
		if exactly {
			require.Equal(w.t, truth[file], kept, file)
			require.False(w.t, found.Unknown[file], file)
			continue
		}
		require.True(w.t, kept || found.Unknown[file] || !truth[file], "file %s was called free", file)
	}
}

// naive searches the text of every row.
func (w *world) naive() map[string]bool {
	referenced := map[string]bool{}
	for table := range written {
		where := ""
		if table == "message" {
			where = ` AND EXISTS (SELECT FROM channel c WHERE c.id = t.channel_id)`
		}
		for _, file := range testenv.Column[string](w.t, w.d, `SELECT f.id FROM file f WHERE EXISTS (SELECT FROM `+table+` t WHERE t::text LIKE '%' || f.id || '%'`+where+`)`) {
			referenced[file] = true
		}
	}
	return referenced
}
