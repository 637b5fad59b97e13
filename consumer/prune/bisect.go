package prune

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pruned/consumer/event"
	"pruned/repo"
)

const (
	// maxPassing is how many deliveries make a passing failure one that repeats.
	maxPassing = 3
	// singleTimeout bounds a single file's transaction: one with a million chunks.
	singleTimeout = 10 * time.Minute
)

// bisection is one batch under way.
type bisection struct {
	*Handler
	until       time.Time  // when bisecting ends
	bytes       *seenBytes // of all the batch
	results     map[string]event.Result
	failedAlone []failedEvent
	deleted     bool  // anything in this batch
	changed     int64 // Report.Changed of all its transactions
}

// failedEvent is an event that failed for good, alone in its own transaction.
type failedEvent struct {
	event.Delivery
	err error
}

// describe says what the event is about.
func (f failedEvent) describe() string {
	what := map[string]string{event.FileOrphaned: "file", event.CollectionOrphaned: "collection", event.PointsOrphaned: "point"}
	return what[f.Type] + " " + f.Subject
}

var errTimeOver = errors.New("half of its time is over")

// runChunks handles events in transactions that are as short as the engine wants them.
// The events that half of the time is too short for come again.
func (b *bisection) runChunks(ctx context.Context, events []event.Delivery) error {
	for first := true; len(events) > 0; first = false {
		if !first && time.Now().After(b.until) {
			b.recordFailed(events, errTimeOver)
			return nil
		}
		n := b.lockHold.limitFiles(len(events))
		if err := b.runPart(ctx, events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// runPart handles events in one transaction, or in parts if they can never commit together.
// Its error is one of the environment.
func (b *bisection) runPart(ctx context.Context, events []event.Delivery) error {
	err := b.runTx(ctx, events)
	if err == nil {
		return nil
	}
	switch kind, single := repo.KindOf(err), len(events) == 1; {
	case kind == repo.Passing && single && countRepeats(events) > 0:
		return b.runSingle(ctx, events)
	case single:
		return b.recordFailure(events, err)
	case kind == repo.Permanent:
		return b.runParts(ctx, events, (len(events)+1)/2, err)
	case kind == repo.Passing && countRepeats(events) > 0:
		// Each try may take a third of the time, so that halves would get
		// nowhere: with every delivery they are quartered once more.
		return b.runParts(ctx, events, max(len(events)>>(2*countRepeats(events)), 1), err)
	}
	return b.recordFailure(events, err)
}

// runParts handles events in transactions of at most size. The events that half of the
// time is too short for come again.
func (b *bisection) runParts(ctx context.Context, events []event.Delivery, size int, cause error) error {
	b.log.Debug().Err(cause).Int("events", len(events)).Int("size", size).Msg("the batch cannot commit as one")
	for part := range slices.Chunk(events, size) {
		if time.Now().After(b.until) {
			b.recordFailed(part, cause)
			continue
		}
		if err := b.runPart(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// runTx is one transaction, bounded to a third of the time. Only full batches tell
// anything about their size.
func (b *bisection) runTx(ctx context.Context, events []event.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout/3)
	defer cancel()
	full := len(events) >= b.Size()
	report, err := b.runCounted(ctx, events)
	if err != nil {
		if full && repo.KindOf(err) == repo.Passing {
			b.batchSize.shrink()
		}
		return err
	}
	b.recordReport(report)
	b.lockHold.adaptTo(len(events), report.Held, report.Timing[Commit])
	if full {
		b.batchSize.adaptTo(report.looking(), report.Took)
	}
	return nil
}

// runSingle gives one file that repeatedly took too long all the time it needs.
func (b *bisection) runSingle(ctx context.Context, events []event.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, singleTimeout)
	defer cancel()
	report, err := b.runCounted(ctx, events)
	if err != nil {
		return b.recordFailure(events, err)
	}
	b.recordReport(report)
	return nil
}

// runCounted is one transaction. What it read counts also where it failed: the next one may not read it
// again.
func (b *bisection) runCounted(ctx context.Context, events []event.Delivery) (Report, error) {
	report, err := b.transaction.run(ctx, events, b.bytes)
	b.Changed.Add(report.Changed)
	b.changed += report.Changed
	return report, err
}

// recordReport takes over what a transaction committed, and logs a line a file.
func (b *bisection) recordReport(report Report) {
	for id, result := range report.Results {
		b.results[id] = result
		b.deleted = b.deleted || result.Outcome == event.Deleted
		b.log.Debug().Str("file", id).Str("outcome", string(result.Outcome)).Str("why", result.Detail).Msg("event")
	}
}

// recordFailure notes the failure of events that are not tried again in this batch. It returns
// the error if it is one of the environment.
func (b *bisection) recordFailure(events []event.Delivery, err error) error {
	switch kind := repo.KindOf(err); {
	case kind == repo.Environment:
		return err
	case kind == repo.Permanent && len(events) == 1:
		b.failedAlone = append(b.failedAlone, failedEvent{events[0], err})
	default:
		b.recordFailed(events, err)
	}
	return nil
}

func (b *bisection) recordFailed(events []event.Delivery, err error) {
	b.log.Warn().Err(err).Int("events", len(events)).Msg("events failed; they come again")
	for _, e := range events {
		b.results[e.Key()] = event.Result{Outcome: event.Failed, Detail: err.Error(), Err: err}
	}
}

// classify tells poison from a database that lets nothing be deleted: another file of
// this batch must have been, or this one have failed like this before.
func (b *bisection) classify(f failedEvent) event.Result {
	if b.deleted || f.Deliveries >= maxPassing {
		return event.Result{Outcome: event.Poison, Detail: f.err.Error(), Err: fmt.Errorf("%s: %w", f.describe(), f.err)}
	}
	return event.Result{Outcome: event.Failed, Detail: f.err.Error(), Err: f.err}
}

// countRepeats is how often one of the events has been delivered in vain, beyond what
// passes by itself: zero as long as that may be.
func countRepeats(events []event.Delivery) int {
	deliveries := uint64(0)
	for _, e := range events {
		deliveries = max(deliveries, e.Deliveries)
	}
	return max(int(min(deliveries, 100))-maxPassing+1, 0)
}
