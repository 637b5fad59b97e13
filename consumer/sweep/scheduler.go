package sweep

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"pruned/consumer"
	"pruned/consumer/loop"
	"pruned/repo"
)

const (
	hintDebounce = 2 * time.Second // from the first hint to the sweep for all that came
	sweepSoonest = time.Minute     // between sweeps for what stays due: it is held
	dueSlack     = 50 * time.Millisecond

	// changedMost bytes of changed rows make a pass over the index worth more than
	// reading them again with every batch.
	changedMost  = 8 << 20
	changedEvery = 2 * time.Second
)

// Sweeps makes a process sweep: at its start, every so often, when something
// becomes due, and soon after a hint or a request.
type Sweeps struct {
	Sweeper *Sweeper
	Queue   *consumer.Queue // whose hints are followed; nil for none
	Every   time.Duration   // zero: no timer
	Changed *atomic.Int64   // bytes of changed rows that batches had to read since the last pass; may be nil
	Log     zerolog.Logger

	once     sync.Once
	wanted   chan struct{}
	hints    *consumer.Hints
	debounce time.Duration
	another  time.Duration // until the next try, while another process sweeps

	pulse loop.Heartbeat
	mu    sync.Mutex
	state SweepState
}

// SweepState is how the sweeps of a process are.
type SweepState struct {
	Began  time.Time // of the last sweep that ended, by this process; zero before the first
	Ended  time.Time
	Report SweepReport
	Err    error // why it failed

	Failures int // of the last sweeps, one after the other
}

// State says how sweeps are.
func (s *Sweeps) State() SweepState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Request makes a sweep run soon.
func (s *Sweeps) Request() {
	s.init()
	select {
	case s.wanted <- struct{}{}:
	default:
	}
}

func (s *Sweeps) init() {
	s.once.Do(func() {
		s.wanted = make(chan struct{}, 1)
		if s.debounce == 0 {
			s.debounce = hintDebounce
		}
		if s.another == 0 {
			s.another = leadTTL
		}
	})
}

// Run sweeps until ctx ends. Nothing ends it before: what fails is logged and
// tried again.
func (s *Sweeps) Run(ctx context.Context) {
	s.init()
	var background sync.WaitGroup
	if s.Queue != nil && !s.Sweeper.DryRun {
		s.hints = consumer.NewHints(s.Queue, s.Log, s.Request)
		defer s.hints.GiveBack()
		background.Go(func() { s.hints.Run(ctx) })
	}
	defer background.Wait()
	passes := time.NewTicker(changedEvery)
	defer passes.Stop()
	for plan := newSweepPlan(s.Every); ; {
		s.pulse.Beat()
		timer := time.NewTimer(time.Until(plan.at))
		select {
		case <-timer.C:
			s.sweep(ctx, plan)
		case <-s.wanted:
			plan.soon(s.debounce)
		case <-passes.C:
			s.pass(ctx)
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// sweep sweeps once, and plans the next one.
func (s *Sweeps) sweep(ctx context.Context, plan *sweepPlan) {
	var taken consumer.HintBatch
	if s.hints != nil {
		taken = s.hints.Take()
	}
	if s.Changed != nil {
		s.Changed.Store(0)
	}
	began := time.Now()
	report, err := s.Sweeper.Sweep(ctx, SweepOptions{Rest: true, Progress: func(string, int64, int64) { s.pulse.Beat() }})
	if s.hints != nil {
		if err == nil {
			s.hints.Ack(ctx, taken)
		} else {
			s.hints.PutBack(taken)
		}
	}
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, ErrSweeping):
		plan.failed(s.another)
	case err != nil:
		s.Log.Warn().Err(err).Msg("the sweep failed; it is tried again")
		s.remember(SweepState{Began: began, Ended: time.Now(), Report: report, Err: err})
		plan.failed(plan.pauses.NextBackOff())
	default:
		s.tell(report, time.Since(began))
		s.remember(SweepState{Began: began, Ended: time.Now(), Report: report})
		in, waiting, err := s.Sweeper.DB.NextCandidate(ctx, s.Sweeper.Ages)
		if err != nil {
			s.Log.Warn().Err(err).Msg("the next sweep cannot be timed")
			in, waiting = sweepSoonest, true
		}
		plan.succeeded(in, waiting)
	}
}

func (s *Sweeps) remember(state SweepState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state.Err != nil {
		state.Failures = s.state.Failures + 1
	}
	s.state = state
}

// tell logs a sweep, and what is held where that has changed.
func (s *Sweeps) tell(r SweepReport, took time.Duration) {
	s.Log.Info().Int64("files", r.Files).Int64("orphans", r.Totals.Orphans).Int64("published", r.Published).
		Int64("held", r.Held).Dur("took", took).Msg("sweep")
	known := map[heldAs]bool{}
	for _, hold := range s.State().Report.Holds {
		known[asHeld(hold)] = true
	}
	for _, hold := range r.Holds {
		if known[asHeld(hold)] {
			continue
		}
		s.Log.Warn().Str("id", hold.ID).Str("direction", string(hold.Direction)).Str("store", hold.Store).
			Int64("found", hold.Found).Int64("there", hold.There).Str("reason", hold.Reason).
			Msg("held: nothing that was found there is published until `pruned sweep --confirm " + hold.ID + "`")
	}
}

// heldAs is what makes two holds the same to whoever reads the log.
type heldAs struct {
	id        string
	direction repo.Direction
	store     string
}

func asHeld(h repo.Hold) heldAs { return heldAs{h.ID, h.Direction, h.Store} }

// pass keeps looks short between sweeps.
func (s *Sweeps) pass(ctx context.Context) {
	if s.Changed == nil || s.Changed.Load() < changedMost {
		return
	}
	s.Changed.Store(0)
	if err := s.Sweeper.DB.Refresh(ctx, nil); err != nil && ctx.Err() == nil {
		s.Log.Warn().Err(err).Msg("the reference index could not be brought up to date; it is tried again")
	}
}

// Silent is how long the loop of the sweeps has shown no sign of life. One step of a
// sweep may take half an hour.
func (s *Sweeps) Silent() time.Duration { return s.pulse.Since() }
