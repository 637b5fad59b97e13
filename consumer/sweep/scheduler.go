package sweep

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/rs/zerolog"

	"pruned/consumer"
	"pruned/consumer/loop"
	"pruned/repo"
)

const (
	hintDebounce = 2 * time.Second // from the first hint to the sweep for all that came
	sweepSoonest = time.Minute     // between sweeps for what stays due: it is held
	dueSlack     = 50 * time.Millisecond

	// defaultLeaseRetry makes a sweep of a process that died another one's soon after its
	// lease has ended.
	defaultLeaseRetry = 3 * time.Second

	// maxChanged bytes of changed rows make a pass over the index worth more than
	// reading on: looks for collections read all of them, and so does each new process.
	maxChanged = 64 << 20
	// IndexEvery is how often IndexChanged is to be called.
	IndexEvery = 2 * time.Second
)

// Scheduler makes a process sweep: at its start, every so often, when something
// becomes due, and soon after a hint or a request.
type Scheduler struct {
	Sweeper *Sweeper
	Queue   *consumer.Queue // whose hints are followed; nil for none
	Every   time.Duration   // zero: no timer
	Changed *atomic.Int64   // bytes of changed rows that batches had to read since the last pass; may be nil
	Log     zerolog.Logger
	Observe func(State) // is told of each sweep that ended; may be nil

	once       sync.Once
	wanted     chan struct{}
	hints      *consumer.Hints
	debounce   time.Duration
	leaseRetry time.Duration // until the next try, while another process sweeps

	heartbeat loop.Heartbeat
	mu        sync.Mutex
	state     State
}

// State is how the sweeps of a process are.
type State struct {
	Began  time.Time // of the last sweep that ended, by this process; zero before the first
	Took   time.Duration
	Report Report
	Err    error // why it failed

	Succeeded time.Time // when the last one ended that did not fail; zero before the first
	Failures  int       // of the last sweeps, one after the other
}

// State says how sweeps are.
func (s *Scheduler) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Request makes a sweep run soon.
func (s *Scheduler) Request() {
	s.initOnce()
	select {
	case s.wanted <- struct{}{}:
	default:
	}
}

func (s *Scheduler) initOnce() {
	s.once.Do(func() {
		s.wanted = make(chan struct{}, 1)
		if s.debounce == 0 {
			s.debounce = hintDebounce
		}
		if s.leaseRetry == 0 {
			s.leaseRetry = defaultLeaseRetry
		}
	})
}

// Run sweeps until ctx ends. Nothing ends it before: what fails is logged and
// tried again.
func (s *Scheduler) Run(ctx context.Context) {
	s.initOnce()
	var background sync.WaitGroup
	if s.Queue != nil && !s.Sweeper.DryRun {
		s.hints = consumer.NewHints(s.Queue, s.Log, s.Request)
		defer s.hints.NakAll()
		background.Go(func() { s.hints.Run(ctx) })
	}
	defer background.Wait()
	passes := time.NewTicker(IndexEvery)
	defer passes.Stop()
	for plan := newPlan(s.Every); ; {
		s.heartbeat.Beat()
		timer := time.NewTimer(time.Until(plan.at))
		select {
		case <-timer.C:
			s.sweepAndPlan(ctx, plan)
		case <-s.wanted:
			plan.bringForward(s.debounce)
		case <-passes.C:
			IndexChanged(ctx, s.Sweeper.DB, s.Changed, s.Log)
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// sweepAndPlan sweeps once, and plans the next one.
func (s *Scheduler) sweepAndPlan(ctx context.Context, plan *plan) {
	var taken consumer.HintBatch
	if s.hints != nil {
		taken = s.hints.Take()
	}
	if s.Changed != nil {
		s.Changed.Store(0)
	}
	began := time.Now()
	report, err := s.Sweeper.Sweep(ctx, Options{Rest: true, Progress: func(string, int64, int64) { s.heartbeat.Beat() }})
	if s.hints != nil {
		if err == nil {
			s.hints.AckAll(ctx, taken)
		} else {
			s.hints.PutBack(taken)
		}
	}
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, ErrSweeping):
		plan.planRetry(s.leaseRetry)
	case err != nil:
		s.Log.Warn().Err(err).Msg("the sweep failed; it is tried again")
		s.setState(State{Began: began, Took: time.Since(began), Report: report, Err: err})
		plan.planRetry(plan.pauses.NextBackOff())
	default:
		s.logReport(report, time.Since(began))
		s.setState(State{Began: began, Took: time.Since(began), Report: report})
		in, waiting, err := s.Sweeper.DB.NextCandidate(ctx, s.Sweeper.Ages)
		if err != nil {
			s.Log.Warn().Err(err).Msg("the next sweep cannot be timed")
			in, waiting = sweepSoonest, true
		}
		plan.planNext(in, waiting)
	}
}

// setState keeps how a sweep ended, and tells whoever observes.
func (s *Scheduler) setState(state State) {
	s.mu.Lock()
	state.Succeeded = state.Began.Add(state.Took)
	if state.Err != nil {
		state.Succeeded, state.Failures = s.state.Succeeded, s.state.Failures+1
	}
	s.state = state
	s.mu.Unlock()
	if s.Observe != nil {
		s.Observe(state)
	}
}

// logReport logs a sweep, and what is held where that has changed.
func (s *Scheduler) logReport(r Report, took time.Duration) {
	s.Log.Info().Int64("files", r.Files).Int64("orphans", r.Totals.Orphans).Int64("published", r.Published).
		Int64("held", r.Held).Dur("took", took).Msg("sweep")
	s.logCache(r.Cache)
	s.logRows(r.Rows)
	known := map[holdKey]bool{}
	for _, hold := range s.State().Report.Holds {
		known[keyOf(hold)] = true
	}
	for _, hold := range r.Holds {
		if known[keyOf(hold)] {
			continue
		}
		s.Log.Warn().Str("id", hold.ID).Str("direction", string(hold.Direction)).Str("store", hold.Store).
			Int64("found", hold.Found).Int64("there", hold.Total).Str("reason", hold.Reason).
			Msg("held: nothing that was found there is published until `pruned sweep --confirm " + hold.ID + "`")
	}
}

// holdKey is what makes two holds the same to whoever reads the log.
type holdKey struct {
	id        string
	direction repo.Direction
	store     string
}

func keyOf(h repo.Hold) holdKey { return holdKey{h.ID, h.Direction, h.Store} }

// IndexChanged brings the index up to date where batches had to read many bytes of changed
// rows since the last pass (Scheduler.Changed), which keeps their looks short.
func IndexChanged(ctx context.Context, db repo.Index, changed *atomic.Int64, log zerolog.Logger) {
	if changed == nil || changed.Load() < maxChanged {
		return
	}
	changed.Store(0)
	if err := db.IndexAll(ctx, nil); err != nil && ctx.Err() == nil {
		log.Warn().Err(err).Msg("the reference index could not be brought up to date; it is tried again")
	}
}

// Silent is how long the loop of the sweeps has shown no sign of life. One step of a
// sweep may take half an hour.
func (s *Scheduler) Silent() time.Duration { return s.heartbeat.Age() }

// plan says when the next sweep is.
type plan struct {
	every  time.Duration
	pauses *backoff.ExponentialBackOff

	at      time.Time
	failing bool // hints do not bring forward what has just failed
}

// never is beyond the life of any process, and of no overflow.
const never = 10 * 365 * 24 * time.Hour

// newPlan begins with a sweep at once.
func newPlan(every time.Duration) *plan {
	return &plan{every: every, pauses: loop.NewBackoff(time.Second, time.Minute), at: time.Now()}
}

func (p *plan) bringForward(debounce time.Duration) {
	if at := time.Now().Add(debounce); !p.failing && at.Before(p.at) {
		p.at = at
	}
}

func (p *plan) planRetry(pause time.Duration) {
	p.at, p.failing = time.Now().Add(pause), true
}

// planNext plans the next sweep, given in how long the first candidate becomes
// due, if there is any. One that is due already was held back.
func (p *plan) planNext(in time.Duration, waiting bool) {
	p.failing = false
	p.pauses.Reset()
	next := p.every
	if next <= 0 {
		next = never
	}
	switch {
	case waiting && in <= 0:
		next = min(next, sweepSoonest)
	case waiting:
		next = min(next, in+dueSlack)
	}
	p.at = time.Now().Add(next)
}
