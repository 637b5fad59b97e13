package restore_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"pruned/consumer/internal/fixture"
	"pruned/consumer/reap"
	"pruned/consumer/restore"
	"pruned/repo"
	"pruned/repo/blobs/local"
	"pruned/repo/sqlite"
	"pruned/repo/testenv"
	"pruned/vectors"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// place is an installation as two processes have it: one carries out tombstones, the
// other restores.
type place struct {
	daemon, command repo.Engine
	blobs           repo.Blobs
	uploads         string
	exec            func(t testing.TB, sql string, args ...any) int64
	count           func(t testing.TB, sql string, args ...any) int64
}

var engines = map[string]func(*testing.T) *place{"PostgreSQL": onPostgres, "SQLite": onSQLite}

func onPostgres(t *testing.T) *place {
	i := fixture.Install(t)
	engine := repo.NewEngine(i.DB)
	return &place{daemon: engine, command: engine, blobs: i.ApprovedBlobs(), uploads: i.Uploads, exec: i.Exec,
		count: func(t testing.TB, sql string, args ...any) int64 {
			return testenv.Value[int64](t, i.Database, sql, args...)
		}}
}

func onSQLite(t *testing.T) *place {
	path := filepath.Join(t.TempDir(), "webui.db")
	require.NoError(t, testenv.CopySQLite(t.Context(), path))
	app, err := testenv.OpenSQLite(path, "wal")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, app.Close()) })
	d := &testenv.SQLite{Path: path, DB: app}
	open := func() repo.Engine {
		db, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
		require.NoError(t, err)
		t.Cleanup(db.Close)
		require.NoError(t, db.Migrate(t.Context()))
		return repo.NewEngine(db)
	}
	p := &place{daemon: open(), command: open(), uploads: t.TempDir(), exec: d.Exec, count: d.Count}
	folder, err := local.Open(p.uploads)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, folder.Close()) })
	p.blobs = fixture.DescribedBlobs{Blobs: folder, As: repo.StoreInfo{Name: "uploads"}}
	require.NoError(t, p.daemon.InTx(t.Context(), nil, func(tx repo.Tx) error {
		return p.daemon.ApproveStore(t.Context(), tx, p.blobs.Info().Name, "")
	}))
	return p
}

// addFile adds a file that nothing uses.
func (p *place) addFile(t testing.TB) (id, path string) {
	t.Helper()
	id = testenv.NewID()
	path = testenv.WriteBytes(t, p.uploads, id, "document.pdf")
	p.exec(t, `INSERT INTO file (id, user_id, filename, path, data, meta, created_at, updated_at) VALUES ($1, 'u', 'document.pdf', $2, '{}', '{"size": 3}', 1, 1)`, id, path)
	return id, path
}

// discard deletes a file as a transaction does; it is kept for so long.
func (p *place) discard(t testing.TB, id string, keep time.Duration) {
	t.Helper()
	require.NoError(t, p.daemon.InTx(context.Background(), nil, func(tx repo.Tx) error {
		deleted, err := p.daemon.Delete(context.Background(), tx, []string{id}, keep)
		if err != nil {
			return err
		}
		return p.daemon.AddTombstones(context.Background(), tx, []repo.Tombstone{{Kind: repo.Bytes, FileID: id, Name: filepath.Base(deleted[0].Path), Delay: keep}})
	}))
}

func (p *place) hasRow(t testing.TB, id string) bool {
	t.Helper()
	return p.count(t, `SELECT count(*) FROM file WHERE id = $1`, id) == 1
}

func hasBytes(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (p *place) newReaper() *reap.Reaper {
	return &reap.Reaper{DB: p.daemon, Vectors: vectors.None{}, Blobs: p.blobs, Log: zerolog.Nop()}
}

func (p *place) newRestorer() *restore.Restorer {
	return &restore.Restorer{DB: p.command, Blobs: p.blobs}
}

// steps lets somebody begin at one of the steps of a removal.
type steps struct {
	mu      sync.Mutex
	left    int
	reached chan struct{}
}

func (s *steps) restart(at int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left, s.reached = at, make(chan struct{})
	if at == 0 { // beside all of it
		close(s.reached)
	}
}

func (s *steps) take() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left--; s.left == 0 {
		close(s.reached)
	}
}

// finish lets begin who would have at a later step.
func (s *steps) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left > 0 {
		s.left = 0
		close(s.reached)
	}
}

type steppedDB struct {
	repo.Engine
	steps *steps
}

func (d steppedDB) FetchDue(ctx context.Context, tx repo.Tx, kind string, most int) ([]repo.Tombstone, error) {
	if kind == repo.Bytes {
		d.steps.take()
	}
	return d.Engine.FetchDue(ctx, tx, kind, most)
}

func (d steppedDB) ClaimBytes(ctx context.Context, tx repo.Tx, tombstones []repo.Tombstone) error {
	d.steps.take()
	err := d.Engine.ClaimBytes(ctx, tx, tombstones)
	d.steps.take()
	return err
}

func (d steppedDB) StillReferenced(ctx context.Context, tx repo.Tx, tombstones []repo.Tombstone) (map[int64]bool, error) {
	d.steps.take()
	living, err := d.Engine.StillReferenced(ctx, tx, tombstones)
	d.steps.take()
	return living, err
}

type steppedBlobs struct {
	repo.Blobs
	steps *steps
}

func (b steppedBlobs) Remove(ctx context.Context, names []string) (map[string]error, error) {
	b.steps.take()
	return b.Blobs.Remove(ctx, names)
}

// countRaces is how many races there are on each engine, by PRUNED_TEST_RACES where that is
// set.
func countRaces(t *testing.T) int {
	t.Helper()
	text, set := os.LookupEnv("PRUNED_TEST_RACES")
	if !set {
		return 200
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "PRUNED_TEST_RACES")
	require.Positive(t, n, "PRUNED_TEST_RACES")
	return n
}

// racer is a file that is restored while its tombstone is carried out.
type racer struct {
	id, path string
	result   restore.Result
	err      error
}

// restore begins at a step of the removal.
func (r *racer) restore(begin <-chan struct{}, by *restore.Restorer) {
	<-begin
	for r.result, r.err = by.Restore(context.Background(), r.id); r.err != nil && repo.KindOf(r.err) == repo.Passing; {
		r.result, r.err = by.Restore(context.Background(), r.id)
	}
}

// addRacers adds files whose tombstones are due.
func (p *place) addRacers(t testing.TB, n int) []*racer {
	t.Helper()
	racers := make([]*racer, n)
	for i := range racers {
		id, path := p.addFile(t)
		p.discard(t, id, time.Microsecond)
		racers[i] = &racer{id: id, path: path}
	}
	return racers
}

// A restore that races the removal of the bytes ends with both or with neither, of one file
// and of several whose bytes go together.
func TestRestoreRacesItsTombstone(t *testing.T) {
	t.Parallel()
	for name, install := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := install(t)
			p.addFile(t) // table file is never empty
			steps := &steps{}
			reaper, restorer := p.newReaper(), p.newRestorer()
			reaper.DB, reaper.Blobs = steppedDB{p.daemon, steps}, steppedBlobs{p.blobs, steps}
			races, done, restored := countRaces(t), 0, 0
			for round := 0; done < races; round++ {
				racers := p.addRacers(t, min(1+rand.IntN(maxTogether), races-done))
				done += len(racers)
				at := rand.IntN(9)
				if round == 1 { // after all of it, which chance may never draw
					at = 1000
				}
				steps.restart(at)
				var all sync.WaitGroup
				for _, r := range racers {
					all.Go(func() { r.restore(steps.reached, restorer) })
				}
				if round == 0 { // before any of it, which it may not either
					steps.finish()
					all.Wait()
				}
				drained := reaper.Drain(context.Background())
				steps.finish()
				all.Wait()
				if drained != nil {
					require.Equal(t, repo.Passing, repo.KindOf(drained), drained)
				}
				require.NoError(t, reaper.Drain(context.Background()))
				for _, r := range racers {
					require.NoError(t, r.err)
					has := p.hasRow(t, r.id)
					require.Equal(t, r.result.Refused == "", has, r.result.Refused)
					require.Equal(t, has, hasBytes(r.path))
					if has {
						restored++
					}
				}
			}
			t.Logf("%d of %d were restored", restored, races)
			require.Positive(t, restored)
			require.Less(t, restored, races)
			b, err := p.daemon.Backlog(context.Background(), repo.Bytes)
			require.NoError(t, err)
			require.Zero(t, b.Count)
		})
	}
}

// maxTogether is how many files race at once at most.
const maxTogether = 10

// What cannot come back whole is refused, and told.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	for name, install := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := install(t)
			restorer := p.newRestorer()
			refused := func(why, id string) {
				t.Helper()
				result, err := restorer.Restore(t.Context(), id)
				require.NoError(t, err)
				require.Contains(t, result.Refused, why)
			}
			refused("not in the trash", "nobody")
			id, path := p.addFile(t)
			refused("not in the trash", id)
			p.discard(t, id, time.Hour)
			restorer.DryRun = true
			result, err := restorer.Restore(t.Context(), id)
			require.NoError(t, err)
			require.Empty(t, result.Refused)
			require.Equal(t, "document.pdf", result.Filename)
			require.EqualValues(t, 3, result.Size)
			require.False(t, p.hasRow(t, id))
			restorer.DryRun = false

			require.NoError(t, os.Remove(path))
			refused("its bytes are gone", id)
			require.False(t, p.hasRow(t, id))
			restorer.WithoutBytes = true
			result, err = restorer.Restore(t.Context(), id)
			require.NoError(t, err)
			require.Empty(t, result.Refused)
			require.True(t, p.hasRow(t, id))
			var lines []repo.Entry
			for entry, err := range p.command.ReadLedger(t.Context(), id) {
				require.NoError(t, err)
				lines = append(lines, entry)
			}
			require.Len(t, lines, 1)
			require.Equal(t, restore.Outcome, lines[0].Outcome)
			require.Equal(t, restore.Source, lines[0].Source)
			require.Equal(t, path, lines[0].Path)

			other, _ := p.addFile(t)
			p.discard(t, other, time.Hour)
			p.exec(t, `INSERT INTO file (id, user_id, filename, path, created_at, updated_at) VALUES ($1, 'u', 'another.pdf', 'x', 1, 1)`, other)
			refused("a row has this id again", other)
			require.EqualValues(t, 1, p.count(t, `SELECT count(*) FROM file WHERE id = $1 AND filename = 'another.pdf'`, other))
		})
	}
}
