package sweep

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/internal/fixture"
	"pruned/repo"
)

// watched is a database whose refreshes, one or more a sweep, the test sees.
type watched struct {
	repo.Index
	refresh func(n int64) error
	n       atomic.Int64
}

// watch has a sweeper's database watched.
func watch(s *Sweeper, refresh func(n int64) error) *watched {
	w := &watched{Index: s.DB.Index, refresh: refresh}
	s.DB.Index = w
	return w
}

func (w *watched) IndexAll(ctx context.Context, progress repo.Progress) error {
	if err := w.refresh(w.n.Add(1)); err != nil {
		return err
	}
	return w.Index.IndexAll(ctx, progress)
}

// sweeping runs sweeps until the test ends, or the returned function is called.
func sweeping(t *testing.T, s *Scheduler) (stop func()) {
	t.Helper()
	s.Log, s.debounce = fixture.Log(t), 50*time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

func awaitState(t *testing.T, s *Scheduler, holds func(State) bool) {
	t.Helper()
	require.Eventually(t, func() bool { return holds(s.State()) }, fixture.Patience, fixture.PollEvery)
}

// waiting is how many hints wait for a sweep to begin; none begins meanwhile.
func waiting(h *consumer.Hints) int {
	held := h.Take()
	defer h.PutBack(held)
	return len(held)
}

func TestSweepsAtStartAndAtTheDueTime(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 1)
	file := i.AddFile(t)
	s := &Scheduler{Sweeper: sweeper(t, i, q)}
	s.Sweeper.Ages.Orphan = 5 * time.Second // longer than the first sweep takes, mostly
	sweeping(t, s)
	fixture.AwaitEvents(t, q, 1)
	require.Equal(t, file, fixture.EventsIn(t, q)[0].Subject)
	awaitState(t, s, func(state State) bool { return state.Report.Published == 1 })
}

func TestSweepsEverySoOften(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 1)
	s := &Scheduler{Sweeper: sweeper(t, i, q), Every: 50 * time.Millisecond}
	sweeping(t, s)
	awaitState(t, s, func(state State) bool { return !state.Began.IsZero() })
	i.AddFile(t)
	fixture.AwaitEvents(t, q, 1)
}

func TestRequestedSweep(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 1)
	s := &Scheduler{Sweeper: sweeper(t, i, q)}
	sweeping(t, s)
	awaitState(t, s, func(state State) bool { return !state.Began.IsZero() })
	i.AddFile(t)
	s.Request()
	fixture.AwaitEvents(t, q, 1)
}

// A sweep that fails leaves known when one last succeeded.
func TestStateKeepsTheLastSuccess(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	fail := make(chan error, 1)
	s := &Scheduler{Sweeper: sweeper(t, i, nil)}
	watch(s.Sweeper, func(int64) error { return <-fail })
	sweeping(t, s)
	before := time.Now()
	fail <- nil
	awaitState(t, s, func(now State) bool { return !now.Began.IsZero() })
	first := s.State()
	require.Positive(t, first.Took)
	require.Equal(t, first.Began.Add(first.Took), first.Succeeded)
	require.False(t, first.Succeeded.Before(before))
	s.Request()
	fail <- errKilled
	awaitState(t, s, func(now State) bool { return now.Failures == 1 })
	require.Equal(t, first.Succeeded, s.State().Succeeded)
	close(fail)
	awaitState(t, s, func(now State) bool { return now.Failures == 0 })
	require.True(t, s.State().Succeeded.After(first.Succeeded))
}

// Hints are acked only after a sweep that began later has succeeded, and many
// make few sweeps.
func TestHintsAreAckedAfterALaterSweep(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 1)
	began, fail := make(chan int64, 1000), make(chan error)
	s := &Scheduler{Sweeper: sweeper(t, i, q), Queue: q}
	db := watch(s.Sweeper, func(n int64) error {
		began <- n
		return <-fail
	})
	stop := sweeping(t, s)
	fixture.Await(t, began)
	const hints = 300
	for n := range hints {
		require.NoError(t, q.PublishHint(fixture.Context(t), fmt.Sprint("hint-", n), "chat.deleted", []byte("{}")))
	}
	require.Eventually(t, func() bool { return waiting(s.hints) == hints }, fixture.Patience, fixture.PollEvery)
	fail <- nil // a sweep that began before they came
	fixture.Await(t, began)
	require.EqualValues(t, hints, fixture.HintBacklog(t, q).Unacked, "the first sweep was not for them")
	fail <- errKilled
	fixture.Await(t, began)
	require.EqualValues(t, hints, fixture.HintBacklog(t, q).Unacked, "the second one failed")
	require.ErrorIs(t, s.State().Err, errKilled)
	fail <- nil
	require.Eventually(t, func() bool { return fixture.HintBacklog(t, q) == consumer.Backlog{} }, fixture.Patience, fixture.PollEvery)
	close(fail)
	stop()
	require.LessOrEqual(t, db.n.Load(), int64(4), "many hints are few sweeps")
}

// What was fetched when the process is told to stop is the next one's at once.
func TestHintsOutliveTheirProcess(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 1)
	began := make(chan int64, 10)
	blocked := make(chan struct{})
	s := &Scheduler{Sweeper: sweeper(t, i, q), Queue: q}
	watch(s.Sweeper, func(n int64) error {
		began <- n
		<-blocked
		return errKilled
	})
	stop := sweeping(t, s)
	fixture.Await(t, began)
	require.NoError(t, q.PublishHint(fixture.Context(t), "a", "chat.deleted", nil))
	require.Eventually(t, func() bool { return fixture.HintBacklog(t, q).Unacked == 1 }, fixture.Patience, fixture.PollEvery)
	close(blocked)
	stop()

	next := &Scheduler{Sweeper: sweeper(t, i, q), Queue: q}
	sweeping(t, next)
	require.Eventually(t, func() bool { return fixture.HintBacklog(t, q) == consumer.Backlog{} }, fixture.Patience, fixture.PollEvery)
}

func TestHintsWhileAnotherProcessSweeps(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 1)
	i.AddFile(t)
	got, err := i.DB.AcquireLease(t.Context(), "another", time.Hour)
	require.NoError(t, err)
	require.True(t, got)
	s := &Scheduler{Sweeper: sweeper(t, i, q), Queue: q}
	s.leaseRetry = fixture.PollEvery
	sweeping(t, s)
	require.NoError(t, q.PublishHint(fixture.Context(t), "a", "chat.deleted", nil))
	require.Eventually(t, func() bool {
		return fixture.HintBacklog(t, q).Unacked == 1
	}, fixture.Patience, fixture.PollEvery)
	require.Zero(t, s.State(), "it is silent")
	require.NoError(t, i.DB.ReleaseLease(t.Context(), "another"))
	fixture.AwaitEvents(t, q, 1)
	require.Eventually(t, func() bool { return fixture.HintBacklog(t, q) == consumer.Backlog{} }, fixture.Patience, fixture.PollEvery)
}

// A dry run follows no hints: they are for a sweep that does something.
func TestDrySweepsLeaveHints(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 1)
	i.AddFile(t)
	s := &Scheduler{Sweeper: sweeper(t, i, q), Queue: q, Every: 20 * time.Millisecond}
	s.Sweeper.DryRun = true
	require.NoError(t, q.PublishHint(fixture.Context(t), "a", "chat.deleted", nil))
	sweeping(t, s)
	awaitState(t, s, func(state State) bool { return state.Report.Totals.Orphans == 1 })
	require.Zero(t, fixture.HintBacklog(t, q), "there is no consumer of hints")
	require.Zero(t, fixture.QueueBacklog(t, q).Pending)
}

func TestSweepsTellWhatIsHeld(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddRemains(t, false, true)
	s := &Scheduler{Sweeper: sweeper(t, i, q), Every: 20 * time.Millisecond}
	sweeping(t, s)
	awaitState(t, s, func(state State) bool { return len(state.Report.Holds) == 1 })
}

func TestChangesMakeAPass(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 1)
	passes := make(chan int64, 10)
	s := &Scheduler{Sweeper: sweeper(t, i, q), Changed: new(atomic.Int64)}
	watch(s.Sweeper, func(n int64) error {
		passes <- n
		return nil
	})
	sweeping(t, s)
	fixture.Await(t, passes)
	awaitState(t, s, func(state State) bool { return !state.Began.IsZero() })
	swept := s.State().Began
	s.Changed.Store(maxChanged)
	fixture.Await(t, passes)
	require.Equal(t, swept, s.State().Began, "a pass is no sweep")
	require.Zero(t, s.Changed.Load())
}

func TestSweepPlan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testPlan)
}

// testPlan needs a clock that stands still. Some are planned a moment later than they are due.
func testPlan(t *testing.T) {
	in := func(p *plan) time.Duration { return time.Until(p.at).Round(time.Second) }
	p := newPlan(5 * time.Minute)
	require.Zero(t, in(p))
	for _, c := range []struct {
		due     time.Duration
		waiting bool
		want    time.Duration
	}{
		{0, false, 5 * time.Minute},
		{2 * time.Minute, true, 2 * time.Minute},
		{time.Hour, true, 5 * time.Minute},
		{-time.Hour, true, time.Minute},
	} {
		p.planNext(c.due, c.waiting)
		require.Equal(t, c.want, in(p))
	}
	p.bringForward(2 * time.Second)
	require.Equal(t, 2*time.Second, in(p))
	p.bringForward(time.Minute)
	require.Equal(t, 2*time.Second, in(p), "hints that go on coming do not put it off")
	p.planRetry(30 * time.Second)
	p.bringForward(2 * time.Second)
	require.Equal(t, 30*time.Second, in(p), "what has just failed is not hurried")

	untimed := newPlan(0)
	untimed.planNext(0, false)
	require.Greater(t, in(untimed), 365*24*time.Hour)
	untimed.planNext(time.Hour, true)
	require.Equal(t, time.Hour, in(untimed))
}

func TestErrorsOfSweepsAreTold(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	s := &Scheduler{Sweeper: sweeper(t, i, q)}
	watch(s.Sweeper, func(n int64) error {
		if n == 1 {
			return errKilled
		}
		return nil
	})
	sweeping(t, s)
	awaitState(t, s, func(state State) bool { return errors.Is(state.Err, errKilled) })
	awaitState(t, s, func(state State) bool { return state.Err == nil })
}
