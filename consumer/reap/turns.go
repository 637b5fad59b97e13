package reap

import (
	"context"
	"slices"
	"sync"
	"time"

	"pruned/consumer/loop"
	"pruned/repo"
)

// minRest is how long a kind rests between two turns at least, so that one turn serves what
// comes due together.
const minRest = time.Second

// turns are when the tombstones of one kind are carried out, and how that goes. Each kind
// has its own, so that a scan for vectors does not keep bytes waiting.
type turns struct {
	kind      string
	draining  sync.Mutex // one at a time in this process
	heartbeat loop.Heartbeat
	sooner    chan struct{} // tells that the next turn may come sooner

	mu       sync.Mutex
	due      []time.Time // when something comes due that is known of, in order
	state    State
	deferred error         // why nothing is carried out for now, though it is due
	removing time.Duration // what removals took in the transactions of this turn
}

func newTurns(kind string) *turns { return &turns{kind: kind, sooner: make(chan struct{}, 1)} }

// expect notes that something comes due. What does so within minRest is noted once, by the
// end of that time.
func (t *turns) expect(at time.Time) {
	at = at.Add(minRest - 1).Truncate(minRest)
	t.mu.Lock()
	if i, noted := slices.BinarySearchFunc(t.due, at, time.Time.Compare); !noted {
		t.due = slices.Insert(t.due, i, at)
	}
	t.mu.Unlock()
	select {
	case t.sooner <- struct{}{}:
	default: // it has been told
	}
}

// begin notes that what is due now is being carried out.
func (t *turns) begin(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.due = slices.DeleteFunc(t.due, func(at time.Time) bool { return !at.After(now) })
}

// next is when the next turn begins.
func (t *turns) next(soonest, latest time.Time) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case len(t.due) == 0 || t.due[0].After(latest):
		return latest
	case t.due[0].Before(soonest):
		return soonest
	}
	return t.due[0]
}

// addRemoving notes what a removal took.
func (t *turns) addRemoving(took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removing += took
}

// takeRemoving is what removals took since it was last asked.
func (t *turns) takeRemoving() (took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	took, t.removing = t.removing, 0
	return took
}

// record notes how a turn ended.
func (t *turns) record(err error) {
	t.heartbeat.Beat()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state.Err = err; err == nil {
		t.state.Failures = 0
		return
	}
	t.state.Failures++
}

func (t *turns) deferredFor() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.deferred
}

// setDeferred says whether that is news.
func (t *turns) setDeferred(why error) (news bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	news = why != nil && t.deferred == nil
	t.deferred = why
	return news
}

// Expect has what comes due in a while carried out then, and not at the next turn.
func (x *Reaper) Expect(kind string, in time.Duration) { x.turnsOf(kind).expect(time.Now().Add(in)) }

// Run carries out what is due when it comes due, as far as that is known (see Expect), and
// every interval.
func (x *Reaper) Run(ctx context.Context, interval time.Duration) {
	var running sync.WaitGroup
	for _, t := range x.allTurns() {
		running.Go(func() { x.runTurns(ctx, t, interval) })
	}
	running.Wait()
}

func (x *Reaper) runTurns(ctx context.Context, t *turns, interval time.Duration) {
	t.heartbeat.Beat()
	ended, rest := time.Now(), x.restAfter(t.kind, interval, 0, 0)
	for {
		next := t.next(ended.Add(rest), ended.Add(max(rest, interval)))
		select {
		case <-ctx.Done():
			return
		case <-t.sooner:
			continue
		case <-time.After(time.Until(next)):
		}
		began := time.Now()
		t.begin(began)
		_, err := x.drainTurn(ctx, t)
		t.record(err)
		if err != nil && ctx.Err() == nil {
			x.Log.Warn().Err(err).Str("kind", t.kind).Msg("tombstones could not be carried out; they are tried again")
		}
		ended = time.Now()
		rest = x.restAfter(t.kind, interval, ended.Sub(began), t.takeRemoving())
	}
}

// restAfter is twenty times as long as the removals where those may be scans of a large
// table, which are worth many files. A store of its own costs by the file: there
// the same rest would keep what came meanwhile waiting for hours. What else a turn took it
// may only have waited, for a database that was away, or for a standby before a commit.
func (x *Reaper) restAfter(kind string, interval, took, removing time.Duration) time.Duration {
	if kind == repo.Vectors && x.removesInTx() { // by collections there is an index
		return max(interval, took, 20*removing)
	}
	return max(minRest, took)
}
