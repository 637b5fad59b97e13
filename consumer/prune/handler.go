package prune

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"pruned/consumer/event"
)

// Handler makes each batch of orphan events one transaction, and where that fails finds
// out which file is at fault.
type Handler struct {
	transaction *Transaction
	log         zerolog.Logger
	timeout     time.Duration // of a batch, roughly
	batchSize   adaptiveBatchSize
	lockHold    lockHoldLimit
	linger      linger

	// Changed counts the bytes of changed rows that transactions had to read since the
	// index was last brought up to date.
	Changed atomic.Int64
}

var _ event.Handler = (*Handler)(nil)

// NewHandler returns a handler whose batches start with size events. A transaction may take a
// third of the timeout, and a batch that is bisected half of it.
func NewHandler(t *Transaction, size int, timeout time.Duration, log zerolog.Logger) *Handler {
	h := &Handler{transaction: t, log: log, timeout: timeout}
	h.batchSize.setFirst(size)
	h.lockHold.setMax(t.DB.MaxLockHold())
	return h
}

// Size is how many events the next batch may have.
func (h *Handler) Size() int { return h.batchSize.nextSize() }

// Linger is how long the rest of the next batch may be waited for.
func (h *Handler) Linger() time.Duration { return h.linger.choose() }

// Handle tries a batch whole at first; it bisects, within half of its time, a batch
// that can never commit.
func (h *Handler) Handle(ctx context.Context, events []event.Delivery) ([]event.Result, error) {
	began := time.Now()
	b := &bisection{Handler: h, bytes: newSeenBytes(events), results: make(map[string]event.Result, len(events)), until: began.Add(h.timeout / 2)}
	err := b.runChunks(ctx, events)
	h.linger.noteBatch(time.Since(began), b.changed)
	for _, failed := range b.failedAlone {
		b.results[failed.Key()] = b.classify(failed)
	}
	results := make([]event.Result, len(events))
	for i, e := range events {
		results[i] = b.results[e.Key()]
	}
	return results, err
}
