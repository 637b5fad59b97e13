package consumer

import (
	"context"
	"sync/atomic"
	"time"
)

// pulse is when a loop last came round.
type pulse struct{ at atomic.Int64 }

func (p *pulse) beat() { p.at.Store(time.Now().UnixNano()) }

// since is how long ago that was; zero before the first time.
func (p *pulse) since() time.Duration {
	at := p.at.Load()
	if at == 0 {
		return 0
	}
	return time.Since(time.Unix(0, at))
}

// Silent is how long the loop that fetches has not come round, though nothing that
// may take long is under way. It comes round in a minute, whatever is away.
func (c *Consumer) Silent() time.Duration {
	if c.progress.working() {
		return 0
	}
	return c.pulse.since()
}

// Silent is how long the loop of the sweeps has shown no sign of life. One step of a
// sweep may take half an hour.
func (s *Sweeps) Silent() time.Duration { return s.pulse.since() }

// ExecutorState is how the tombstones of a process are.
type ExecutorState struct {
	Failures int   // of the last tries, one after the other
	Err      error // why the last one failed
}

// State says how carrying out goes.
func (x *Executor) State() ExecutorState {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.state
}

// Silent is how long carrying out has not come to an end. One scan may take half an
// hour.
func (x *Executor) Silent() time.Duration { return x.pulse.since() }

func (x *Executor) remember(err error) {
	x.pulse.beat()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.state.Err = err
	if err != nil {
		x.state.Failures++
	} else {
		x.state.Failures = 0
	}
}

// Overdue is by how much the first tombstone that may be carried out is late; zero or
// less where none is.
func (x *Executor) Overdue(ctx context.Context) (time.Duration, error) {
	kinds, err := x.bound(ctx)
	if err != nil {
		return 0, err
	}
	n, in, err := x.DB.NextDue(ctx, kinds...)
	if n == 0 || err != nil {
		return 0, err
	}
	return -in, nil
}
