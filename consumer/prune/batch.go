package prune

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"pruned/consumer/event"
	"pruned/repo"
)

// Batch is the handler of claims: it makes each batch one transaction, and where
// that fails finds out whose fault it is.
type Batch struct {
	transaction *Transaction
	log         zerolog.Logger
	ackWait     time.Duration
	size        sizer
	brief       brief

	// Chunks counts vectors that were removed, Changed the bytes of changed rows
	// that looks had to read since the last pass.
	Chunks, Changed atomic.Int64
}

var _ event.Handler = (*Batch)(nil)

// NewBatch returns a handler whose batches start with size events.
func NewBatch(t *Transaction, size int, ackWait time.Duration, log zerolog.Logger) *Batch {
	b := &Batch{transaction: t, log: log, ackWait: ackWait}
	b.size.init(size)
	if engine, is := t.DB.(repo.Brief); is {
		b.brief.init(engine.Brief())
	}
	return b
}

// Size is how many events the next batch may have.
func (b *Batch) Size() int { return b.size.get() }

const (
	// repeated is how many deliveries make a passing failure one that repeats.
	repeated = 3
	// longest bounds a single file's transaction: one with a million chunks.
	longest = 10 * time.Minute
)

// Handle is the way of a batch: whole at first; in pieces, within half of the
// lease, where that can never commit.
func (b *Batch) Handle(ctx context.Context, events []event.Delivery, lease time.Time, extend func() error) ([]event.Result, error) {
	h := &halving{Batch: b, extend: extend, results: map[string]event.Result{}, until: lease.Add(-b.ackWait / 2)}
	err := h.briefly(ctx, events)
	for _, guilty := range h.guilty {
		h.results[guilty.Subject] = h.sentence(guilty)
	}
	results := make([]event.Result, len(events))
	for i, e := range events {
		results[i] = h.results[e.Subject]
	}
	return results, err
}

// halving is one batch under way.
type halving struct {
	*Batch
	extend  func() error
	until   time.Time // when halving ends
	results map[string]event.Result
	guilty  []guilty
	deleted bool // anything in this lease
}

// guilty is an event that failed for good, alone in its own transaction.
type guilty struct {
	event.Delivery
	err error
}

// run handles events in one transaction, or in pieces if they can never commit
// together. Its error is one of the environment.
func (h *halving) run(ctx context.Context, events []event.Delivery) error {
	err := h.once(ctx, events)
	if err == nil {
		return nil
	}
	switch kind, single := repo.KindOf(err), len(events) == 1; {
	case kind == repo.Environment:
		return err
	case kind == repo.Permanent && single:
		h.guilty = append(h.guilty, guilty{events[0], err})
	case kind == repo.Permanent:
		return h.pieces(ctx, events, (len(events)+1)/2, err)
	case kind == repo.Passing && single && repeats(events) > 0:
		return h.alone(ctx, events)
	case kind == repo.Passing && repeats(events) > 0:
		// Each try may take a third of the lease, so that halves would get
		// nowhere: with every delivery they are quartered once more.
		return h.pieces(ctx, events, max(len(events)>>(2*repeats(events)), 1), err)
	default:
		h.fail(events, err)
	}
	return nil
}

// pieces handles events in transactions of at most size. What half of the lease
// is too short for comes again.
func (h *halving) pieces(ctx context.Context, events []event.Delivery, size int, cause error) error {
	h.log.Debug().Err(cause).Int("events", len(events)).Int("size", size).Msg("the batch cannot commit as one")
	for piece := range slices.Chunk(events, size) {
		if time.Now().After(h.until) {
			h.fail(piece, cause)
			continue
		}
		if err := h.run(ctx, piece); err != nil {
			return err
		}
	}
	return nil
}

// once is one transaction, bounded to a third of the lease. Only full batches
// tell anything about their size.
func (h *halving) once(ctx context.Context, events []event.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, h.ackWait/3)
	defer cancel()
	full := len(events) >= h.Size()
	report, err := h.transaction.Run(ctx, events)
	if err != nil {
		if full && repo.KindOf(err) == repo.Passing {
			h.size.shrink()
		}
		return err
	}
	h.take(report)
	h.brief.learn(len(events), report.Held)
	if full {
		h.size.learn(report.Looking, report.Took)
	}
	return nil
}

// alone gives one file that repeatedly took too long all the time it needs, and
// keeps its lease meanwhile.
func (h *halving) alone(ctx context.Context, events []event.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(h.ackWait / 3)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				if err := h.extend(); err != nil {
					h.log.Warn().Err(err).Msg("the lease of a slow file cannot be extended")
				}
			}
		}
	}()
	report, err := h.transaction.Run(ctx, events)
	close(done)
	<-stopped
	switch kind := repo.KindOf(err); {
	case err == nil:
		h.take(report)
	case kind == repo.Environment:
		return err
	case kind == repo.Permanent:
		h.guilty = append(h.guilty, guilty{events[0], err})
	default:
		h.fail(events, err)
	}
	return nil
}

// take takes over what a transaction committed: a line a file.
func (h *halving) take(report Report) {
	h.Chunks.Add(report.Chunks)
	h.Changed.Add(report.Changed)
	for id, result := range report.Results {
		h.results[id] = result
		h.deleted = h.deleted || result.Outcome == event.Deleted
		h.log.Debug().Str("file", id).Str("outcome", string(result.Outcome)).Str("why", result.Detail).Msg("claim")
	}
}

func (h *halving) fail(events []event.Delivery, err error) {
	for _, e := range events {
		h.results[e.Subject] = event.Result{Outcome: event.Failed, Detail: err.Error(), Err: err}
	}
}

// sentence tells poison from a database that lets nothing be deleted: another
// file of this lease must have been, or this one have failed like this before.
func (h *halving) sentence(g guilty) event.Result {
	if h.deleted || g.Deliveries >= repeated {
		return event.Result{Outcome: event.Poison, Detail: g.err.Error(), Err: fmt.Errorf("file %s: %w", g.Subject, g.err)}
	}
	return event.Result{Outcome: event.Failed, Detail: g.err.Error(), Err: g.err}
}

// repeats is how often one of the events has been delivered in vain, beyond what
// passes by itself: zero as long as that may be.
func repeats(events []event.Delivery) int {
	most := uint64(0)
	for _, e := range events {
		most = max(most, e.Deliveries)
	}
	return max(int(min(most, 100))-repeated+1, 0)
}
