package consumer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/event"
)

// replyHeader names the inbox that wants to hear an event's final outcome. The
// answer is core NATS: nothing is stored, and a publisher that has gone misses
// it.
const replyHeader = "Pruned-Reply"

// Settlement is the final outcome of one event.
type Settlement struct {
	FileID  string        `json:"file_id"`
	Outcome event.Outcome `json:"outcome"`
	Detail  string        `json:"detail,omitempty"`
}

// sendReply tells the publisher of a message, if it asked. Only inboxes are
// answered: a header is anybody's, and must not make us write into a stream.
func (q *Queue) sendReply(msg jetstream.Msg, s Settlement) error {
	to := msg.Headers().Get(replyHeader)
	if !strings.HasPrefix(to, nats.InboxPrefix) || strings.ContainsAny(to, "*> \t\r\n") {
		return nil
	}
	payload, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encoding the outcome of file %s: %w", s.FileID, err)
	}
	return q.nc.Publish(to, payload)
}

// outcomeWaiter hears the outcomes of the events of one publisher. The last token of
// an inbox is the event's number, so that an event which is settled twice, after
// a lost acknowledgement, is told once.
type outcomeWaiter struct {
	nc      *nats.Conn
	inbox   string
	sub     *nats.Subscription
	lost    chan nats.Status
	settled func(Settlement)

	mu      sync.Mutex
	next    uint64
	waiting map[uint64]struct{}
	sealed  bool // nothing more will be expected
	done    chan struct{}
}

func newOutcomeWaiter(nc *nats.Conn, settled func(Settlement)) (*outcomeWaiter, error) {
	w := &outcomeWaiter{
		nc:      nc,
		inbox:   nc.NewInbox(),
		settled: settled,
		waiting: map[uint64]struct{}{},
		done:    make(chan struct{}),
		lost:    nc.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED),
	}
	sub, err := nc.Subscribe(w.inbox+".*", w.onOutcome)
	if err != nil {
		return nil, fmt.Errorf("subscribing to outcomes: %w", err)
	}
	w.sub = sub
	return w, nil
}

// addInbox returns the inbox of one more event.
func (w *outcomeWaiter) addInbox() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	w.waiting[w.next] = struct{}{}
	return w.inbox + "." + strconv.FormatUint(w.next, 10)
}

func (w *outcomeWaiter) onOutcome(msg *nats.Msg) {
	n, err := strconv.ParseUint(strings.TrimPrefix(msg.Subject, w.inbox+"."), 10, 64)
	if err != nil {
		return
	}
	var s Settlement
	if json.Unmarshal(msg.Data, &s) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.waiting[n]; !ok {
		return
	}
	delete(w.waiting, n)
	w.settled(s)
	w.finishIfDone()
}

func (w *outcomeWaiter) finishIfDone() {
	if w.sealed && len(w.waiting) == 0 {
		close(w.done)
		w.sealed = false
	}
}

// awaitAll returns when every event is settled, or when that cannot be known any
// more.
func (w *outcomeWaiter) awaitAll(ctx context.Context) error {
	w.mu.Lock()
	w.sealed = true
	w.finishIfDone()
	w.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-w.lost:
		return fmt.Errorf("the events are published, but %d outcomes cannot be known: %w", w.countWaiting(), nats.ErrDisconnected)
	case <-ctx.Done():
		return fmt.Errorf("the events are published, but %d are not settled yet: %w", w.countWaiting(), context.Cause(ctx))
	}
}

func (w *outcomeWaiter) countWaiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.waiting)
}

func (w *outcomeWaiter) unsubscribe() error {
	w.nc.RemoveStatusListener(w.lost)
	// A connection that is closed has no subscriptions left to end.
	if err := w.sub.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("unsubscribing from outcomes: %w", err)
	}
	return nil
}
