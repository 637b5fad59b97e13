package sweep

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
	"pruned/vectors"
)

// failingQueue is a queue that fails at times.
type failingQueue struct {
	Publisher
	publish func(n int) error // before the n-th publishing, and after it as -n
	n       int
}

var errKilled = errors.New("killed")

func (f *failingQueue) Publish(ctx context.Context, events iter.Seq2[event.Event, error], settled func(consumer.Settlement)) (int, error) {
	f.n++
	if err := f.publish(f.n); err != nil {
		return 0, err
	}
	stored, err := f.Publisher.Publish(ctx, events, settled)
	return stored, errors.Join(err, f.publish(-f.n))
}

// countEvents counts events by what they are about.
func countEvents(t *testing.T, q *consumer.Queue) map[string]int {
	t.Helper()
	about := map[string]int{}
	for _, e := range fixture.EventsIn(t, q) {
		about[e.Subject]++
	}
	return about
}

// A sweep that is killed before or after any of its publishings forgets nothing, and only
// what was stored and not noted is published again.
func TestKilledSweepForgetsNothing(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	inUse := i.AddUsedFiles(t, 2)
	for _, kill := range []int{1, -1, 2, -2, 3, -3} {
		orphans := []string{i.AddFile(t), i.AddFile(t), i.AddRemains(t, true, false), i.AddRemains(t, false, true), i.AddRemains(t, true, true)}
		f := &failingQueue{Publisher: q, publish: func(n int) error {
			if n == kill {
				return errKilled
			}
			return nil
		}}
		_, err := sweeper(t, i, f).Sweep(fixture.Context(t), Options{})
		require.ErrorIs(t, err, errKilled)
		sweepOnce(t, sweeper(t, i, q))
		about, most := countEvents(t, q), 1
		if kill < 0 {
			most = 2
		}
		for _, id := range orphans {
			require.Positive(t, about[id])
			require.LessOrEqual(t, about[id], most)
		}
		i.Consume(t, q)
		for _, id := range orphans {
			require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
		}
	}
	for _, id := range inUse {
		require.Equal(t, fixture.Whole, i.LeftOf(t, id))
	}
}

// stopping ends the context before the n-th call of the database.
type stopping struct {
	repo.Transactor
	left int
	stop context.CancelFunc
}

func (s *stopping) InTx(ctx context.Context, tx repo.Tx, fn func(repo.Tx) error) error {
	if s.left--; s.left < 0 {
		s.stop()
	}
	return s.Transactor.InTx(ctx, tx, fn)
}

func TestSweepStoppedAnywhereForgetsNothing(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 2)
	orphans := []string{i.AddFile(t), i.AddRemains(t, true, false), i.AddRemains(t, false, true)}
	complete := false
	for step := 0; !complete; step++ {
		ctx, stop := context.WithCancel(fixture.Context(t))
		s := sweeper(t, i, q)
		s.DB.Transactor = &stopping{Transactor: i.DB, left: step, stop: stop}
		_, err := s.Sweep(ctx, Options{})
		complete = err == nil
		if !complete {
			require.ErrorIs(t, err, context.Canceled)
		}
		stop()
	}
	about := countEvents(t, q)
	i.Consume(t, q)
	for _, id := range orphans {
		require.Positive(t, about[id])
		require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
	}
}

func TestSweepStopsAtAFullQueue(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	opts := fixture.StreamOptionsOf(t)
	opts.MaxBytes = 64 << 10
	q := fixture.OpenQueueOn(t, fixture.Dial(t, fixture.StartServer(t, t.TempDir(), 0).ClientURL()), opts)
	i.AddUsedFiles(t, 1)
	for range 400 {
		require.NoError(t, os.WriteFile(filepath.Join(i.Uploads, testenv.NewID()+"_a"), nil, 0o600))
	}
	s := sweeper(t, i, q)
	_, err := s.Sweep(fixture.Context(t), Options{})
	require.ErrorIs(t, err, consumer.ErrFull)
	for rounds := 0; err != nil; rounds++ {
		require.Less(t, rounds, 100)
		require.Positive(t, i.Consume(t, q).Gone)
		i.Consume(t, q) // makes room at its beginning
		_, err = s.Sweep(fixture.Context(t), Options{})
	}
	i.Consume(t, q)
	entries, err := os.ReadDir(i.Uploads)
	require.NoError(t, err)
	require.Len(t, entries, 1, "the one in use")
}

// brokenStore cannot be listed to its end.
type brokenStore struct{ vectors.Store }

func (b brokenStore) Files(ctx context.Context) iter.Seq2[vectors.File, error] {
	return func(yield func(vectors.File, error) bool) {
		yield(vectors.File{}, vectors.ErrUnusable)
	}
}

func TestBrokenStoreStopsNoOther(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 2)
	chunks := i.AddRemains(t, true, false)
	s := sweeper(t, i, q)
	s.Ages.Orphan = time.Hour
	sweepOnce(t, s)
	since := testenv.Value[time.Time](t, i.Database, `SELECT first_seen FROM pruned.candidate WHERE file_id = $1`, chunks)
	bytes := i.AddRemains(t, false, true)
	s.Vectors, s.Ages.Orphan = brokenStore{i.Store}, 0
	report, err := s.Sweep(fixture.Context(t), Options{})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.EqualValues(t, 1, report.Published)
	require.Equal(t, bytes, fixture.EventsIn(t, q)[0].Subject)
	require.Equal(t, since, testenv.Value[time.Time](t, i.Database, `SELECT first_seen FROM pruned.candidate WHERE file_id = $1`, chunks), "what was known stays known")
}

// counting counts how often a store is listed.
type counting struct {
	vectors.Store
	listed int
	before func()
}

func (c *counting) Files(ctx context.Context) iter.Seq2[vectors.File, error] {
	c.listed++
	if c.before != nil {
		c.before()
	}
	return c.Store.Files(ctx)
}

func TestStoreMayRestAfterAListing(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 1)
	chunks := i.AddRemains(t, true, false)
	s := sweeper(t, i, q)
	store := &counting{Store: i.Store}
	s.Vectors, s.Ages.Orphan = store, time.Hour
	sweepOnce(t, s)
	s.listed[repo.FromVectors] = listing{ended: time.Now(), took: time.Hour, contents: contents{there: s.listed[repo.FromVectors].there, known: s.listed[repo.FromVectors].there}}
	i.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '1 hour'`)
	report, _ := sweepWith(t, s, Options{Rest: true})
	require.EqualValues(t, 1, report.Published, "what is due goes all the same")
	require.Equal(t, chunks, fixture.EventsIn(t, q)[0].Subject)
	require.Equal(t, 1, store.listed)
	sweepOnce(t, s)
	require.Equal(t, 2, store.listed, "a person's sweep does not rest")
}

func TestOneSweepAtATime(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 1)
	i.AddFile(t)
	listing, goOn := make(chan struct{}), make(chan struct{})
	first := sweeper(t, i, q)
	first.Vectors = &counting{Store: i.Store, before: func() {
		close(listing)
		<-goOn
	}}
	first.ttl = 6 * time.Second
	done := make(chan error, 1)
	go func() {
		_, err := first.Sweep(fixture.Context(t), Options{})
		done <- err
	}()
	fixture.Await(t, listing)
	leaseEnd := func() time.Time {
		return testenv.Value[time.Time](t, i.Database, `SELECT until FROM pruned.lease`)
	}
	began := leaseEnd()
	require.Eventually(t, func() bool { return leaseEnd().After(began) }, fixture.Patience, fixture.PollEvery, "it is renewed while it lists")
	second := sweeper(t, i, q)
	_, err := second.Sweep(fixture.Context(t), Options{Wait: fixture.PollEvery})
	require.ErrorIs(t, err, ErrSweeping)
	waited := make(chan error, 1)
	go func() {
		_, err := second.Sweep(fixture.Context(t), Options{Wait: fixture.Patience})
		waited <- err
	}()
	close(goOn)
	require.NoError(t, fixture.Await(t, done))
	require.NoError(t, fixture.Await(t, waited))
	require.Len(t, fixture.EventsIn(t, q), 1)
}

// endless is a store whose listing takes until its caller gives up.
type endless struct {
	vectors.Store
	before func()
}

func (e endless) Files(ctx context.Context) iter.Seq2[vectors.File, error] {
	return func(yield func(vectors.File, error) bool) {
		e.before()
		<-ctx.Done()
		yield(vectors.File{}, ctx.Err())
	}
}

func TestSweepThatLosesTheLeadEnds(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 1)
	s := sweeper(t, i, q)
	s.ttl = 3 * time.Second
	s.Vectors = endless{i.Store, func() {
		i.Exec(t, `UPDATE pruned.lease SET holder = 'another', until = until + interval '1 hour'`)
	}}
	_, err := s.Sweep(fixture.Context(t), Options{})
	require.ErrorIs(t, err, errLeaseLost)
	require.Equal(t, "another", testenv.Value[string](t, i.Database, `SELECT holder FROM pruned.lease`))
}
