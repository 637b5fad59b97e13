package sweep

import (
	"bytes"
	"context"
	"database/sql"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/chroma"
)

func (f *folders) sql(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(f.dir, "chroma.sqlite3")+"?_pragma=busy_timeout(20000)")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// lose leaves so many rows in Chroma's tables that belong to nothing.
func (f *folders) lose(t *testing.T, n int) {
	t.Helper()
	_, err := f.sql(t).Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO embedding_metadata (id, key, string_value) SELECT 900000 + i, 'a', 'secret' FROM n`, n)
	require.NoError(t, err)
}

func (f *folders) requireLost(t *testing.T, n int) {
	t.Helper()
	var lost int
	require.NoError(t, f.sql(t).QueryRow(`SELECT count(*) FROM embedding_metadata WHERE string_value = 'secret'`).Scan(&lost))
	require.Equal(t, n, lost)
}

func TestLostRowsGo(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 3)
	f.lose(t, 10)
	s := f.sweeper(t)
	s.MaxFraction = 0.2
	report := sweepOnce(t, s)
	require.Empty(t, report.Holds, "what Chroma holds shows whose it is")
	require.Equal(t, &Rows{Found: 10, Removed: 10}, report.Rows, "ten are never too many")
	f.requireLost(t, 0)
	require.Equal(t, &Rows{}, sweepOnce(t, s).Rows)
	f.requireLeft(t)

	// Chroma answers from what is in use as before.
	var found struct{ Documents [][]string }
	id := f.collection(t, "another")
	f.ask(t, http.MethodPost, "/"+id+"/query", map[string]any{"query_embeddings": [][]float32{{1, 2, 3}}, "n_results": 2}, &found)
	require.Equal(t, [][]string{{"one", "two"}}, found.Documents)
}

// Too many wait for the setting, which is logged once, and hold nothing else.
func TestTooManyLostRowsWait(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 3).approve(t)
	f.lose(t, 11)
	doomed := f.AddFile(t)
	var log bytes.Buffer
	s := f.sweeper(t)
	s.MaxFraction, s.Log = 0.2, zerolog.New(&log)
	scheduler := &Scheduler{Sweeper: s, Log: s.Log}
	for range 2 {
		report := sweepOnce(t, s)
		require.Equal(t, &Rows{Found: 11, Waits: "11 of 17 would go, which is more than the fraction 0.2"}, report.Rows)
		require.Empty(t, report.Holds)
		require.Zero(t, report.Held)
		scheduler.logReport(report, time.Second)
		scheduler.setState(State{Report: report})
	}
	require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("wait for PRUNED_MAX_FRACTION")))
	f.requireLost(t, 11)
	f.Consume(t, f.queue)
	require.False(t, f.LeftOf(t, doomed).Row)
	s.MaxFraction = 1
	require.Equal(t, &Rows{Found: 11, Removed: 11}, sweepOnce(t, s).Rows)
	f.requireLost(t, 0)
}

func TestLostRowsOfAStoreThatIsNotApprovedStay(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 2).approve(t)
	f.lose(t, 3)
	s := f.sweeper(t)
	require.NoError(t, repo.StoreInfo(f.store.Info()).Mark().Set("another/installation"))
	require.Nil(t, sweepOnce(t, s).Rows)
	f.requireLost(t, 3)
	s.Vectors = f.Store
	require.Nil(t, sweepOnce(t, s).Rows, "it keeps no such rows")
}

func TestDryRunRemovesNoRow(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 2)
	f.lose(t, 3)
	dry := f.sweeper(t)
	dry.DryRun = true
	fixture.Publish(t, f.queue, fixture.EventsAbout(testenv.NewID())) // there is a stream to look into
	before := trace(t, f.Installation, f.queue)
	require.Equal(t, &Rows{Found: 3}, sweepOnce(t, dry).Rows)
	f.requireLost(t, 3)
	require.Equal(t, before, trace(t, f.Installation, f.queue))
}

// slowRows takes longer than a sweep may, or fails.
type slowRows struct {
	*chroma.Embedded
	cancel func()
	err    error
}

func (b slowRows) RemoveLost(ctx context.Context, _ time.Duration) (vectors.Lost, error) {
	if b.cancel != nil {
		b.cancel()
	}
	if b.err == nil {
		<-ctx.Done()
		return vectors.Lost{Rows: 2}, ctx.Err()
	}
	return vectors.Lost{Rows: 2}, b.err
}

func TestLostRowsThatCannotBeRemovedStopNothing(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 2).approve(t)
	f.lose(t, 4)
	s := f.sweeper(t)
	s.Vectors = slowRows{Embedded: f.store, err: vectors.ErrUnusable}
	f.AddFile(t)
	report, err := s.Sweep(fixture.Context(t), Options{})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.EqualValues(t, 1, report.Published)
	require.Equal(t, &Rows{Found: 4, Removed: 2}, report.Rows)

	// What one sweep has no time for the next one does, soon.
	s.rowsLimit = time.Millisecond
	s.Vectors = slowRows{Embedded: f.store}
	require.Equal(t, &Rows{Found: 4, Removed: 2}, sweepOnce(t, s).Rows)
	require.Zero(t, s.searched)
	s.rowsLimit = 0

	// A sweep that is ended is no store that fails.
	ctx, cancel := context.WithCancel(fixture.Context(t))
	s.Vectors = slowRows{Embedded: f.store, cancel: cancel, err: context.Canceled}
	_, err = s.Sweep(ctx, Options{})
	require.ErrorIs(t, err, context.Canceled)
	s.Vectors = f.store
	require.EqualValues(t, 4, sweepOnce(t, s).Rows.Removed)
	f.requireLost(t, 0)
}

// A daemon looks for them as seldom as it lists a store.
func TestLostRowsAreLookedForNotEachTime(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 2).approve(t)
	s := f.sweeper(t)
	first, _ := sweepWith(t, s, Options{Rest: true})
	require.NotNil(t, first.Rows)
	s.searched.took = time.Hour
	second, _ := sweepWith(t, s, Options{Rest: true})
	require.Nil(t, second.Rows)
	require.NotNil(t, sweepOnce(t, s).Rows)
}
