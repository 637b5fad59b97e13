package consumer

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"pruned/repo"
)

// Batch is the handler of claims: it makes each batch one transaction, and where
// that fails finds out whose fault it is.
type Batch struct {
	transaction *Transaction
	log         zerolog.Logger
	ackWait     time.Duration
	size        sizer

	// Chunks counts vectors that were removed, Changed the bytes of changed rows
	// that looks had to read since the last pass.
	Chunks, Changed atomic.Int64
}

var _ Handler = (*Batch)(nil)

// NewBatch returns a handler whose batches start with size events.
func NewBatch(t *Transaction, size int, ackWait time.Duration, log zerolog.Logger) *Batch {
	b := &Batch{transaction: t, log: log, ackWait: ackWait}
	b.size.init(size)
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

// Handle is the way of a batch: whole at first; in halves, within half of the
// lease, where that can never commit.
func (b *Batch) Handle(ctx context.Context, events []Delivery, lease time.Time, extend func() error) ([]Result, error) {
	h := &halving{Batch: b, extend: extend, results: map[string]Result{}, until: lease.Add(-b.ackWait / 2)}
	err := h.run(ctx, events)
	for _, guilty := range h.guilty {
		h.results[guilty.Subject] = h.sentence(guilty)
	}
	results := make([]Result, len(events))
	for i, event := range events {
		results[i] = h.results[event.Subject]
		if err == nil && results[i].Outcome == "" {
			results[i] = Result{Outcome: Failed, Detail: "half of the lease was over"}
		}
	}
	return results, err
}

// halving is one batch under way.
type halving struct {
	*Batch
	extend  func() error
	until   time.Time // when halving ends
	results map[string]Result
	guilty  []guilty
	success bool // of anything in this lease
}

// guilty is an event that failed for good, alone in its own transaction.
type guilty struct {
	Delivery
	err error
}

// run handles events in one transaction, or each half by itself if they can
// never commit together. Its error is one of the environment.
func (h *halving) run(ctx context.Context, events []Delivery) error {
	err := h.once(ctx, events)
	if err == nil {
		h.success = true
		return nil
	}
	switch kind := repo.KindOf(err); {
	case kind == repo.Environment:
		return err
	case kind == repo.Permanent && len(events) == 1:
		h.guilty = append(h.guilty, guilty{events[0], err})
		return nil
	case kind == repo.Permanent, kind == repo.Passing && len(events) > 1 && repeats(events):
		return h.halves(ctx, events, err)
	case kind == repo.Passing && repeats(events):
		return h.alone(ctx, events)
	}
	h.fail(events, err)
	return nil
}

func (h *halving) halves(ctx context.Context, events []Delivery, cause error) error {
	if time.Now().After(h.until) {
		h.fail(events, cause)
		return nil
	}
	h.log.Debug().Err(cause).Int("events", len(events)).Msg("the batch cannot commit as one: halving it")
	middle := len(events) / 2
	if err := h.run(ctx, events[:middle]); err != nil {
		return err
	}
	return h.run(ctx, events[middle:])
}

// once is one transaction, bounded to a third of the lease.
func (h *halving) once(ctx context.Context, events []Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, h.ackWait/3)
	defer cancel()
	report, err := h.transaction.Run(ctx, events)
	if err != nil {
		return err
	}
	h.take(report)
	h.size.learn(report.Looking, report.Took)
	h.Chunks.Add(report.Chunks)
	h.Changed.Add(report.Changed)
	return nil
}

// alone gives one file that repeatedly took too long all the time it needs, and
// keeps its lease meanwhile.
func (h *halving) alone(ctx context.Context, events []Delivery) error {
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
		h.success = true
		h.take(report)
	case kind == repo.Environment:
		return err
	default:
		h.fail(events, err)
	}
	return nil
}

// take takes over what a transaction committed: a line a file.
func (h *halving) take(report Report) {
	for id, result := range report.Results {
		h.results[id] = result
		h.log.Debug().Str("file", id).Str("outcome", string(result.Outcome)).Str("why", result.Detail).Msg("claim")
	}
}

func (h *halving) fail(events []Delivery, err error) {
	for _, event := range events {
		h.results[event.Subject] = Result{Outcome: Failed, Detail: err.Error(), Err: err}
	}
}

// sentence tells poison from a database that refuses everything: something else
// of this lease must have succeeded, or the event have failed like this before.
func (h *halving) sentence(g guilty) Result {
	if h.success || g.Deliveries >= repeated {
		return Result{Outcome: Poison, Detail: g.err.Error(), Err: fmt.Errorf("file %s: %w", g.Subject, g.err)}
	}
	return Result{Outcome: Failed, Detail: g.err.Error(), Err: g.err}
}

// repeats says whether all events have been delivered in vain before.
func repeats(events []Delivery) bool {
	for _, event := range events {
		if event.Deliveries < repeated {
			return false
		}
	}
	return true
}
