package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"pruned/consumer/event"
	"pruned/consumer/loop"
)

// Options say how events are consumed.
type Options struct {
	Workers       int           // batches handled at the same time; 1 if less
	AckWait       time.Duration // after which the work of a process that died is another one's; 15 s if zero
	MaxAckPending int           // messages delivered and not settled; 20,000 if zero
	Rate          float64       // events per second; 0 for no limit
	Grace         time.Duration // for batches in hand when Run is told to stop; 30 s if zero
	Idle          time.Duration // how long an empty queue is listened to at once; 2 s if zero
	Drain         bool          // end as soon as nothing is left to do
	DryRun        bool          // settle nothing

	// Control is what people say: to pause, and another rate. It may be nil.
	Control *Follower
	// Ready is asked, with growing pauses, after the handler said that nothing
	// can be deleted. When it agrees events are fetched again.
	Ready func(context.Context) error
	// Due says whether a drain has anything else left to do.
	Due func(context.Context) (bool, error)
	// Progress is told after each batch how many events are done, and how many
	// were waiting behind the batch when it was fetched.
	Progress func(done, pending uint64)
	// Settled is told after each batch what became of its events, by several workers at
	// once.
	Settled func(BatchReport)
	// WasDeleted says, where what was deleted is told, whether an event that came again has
	// deleted what it is about before: its process ended, or the queue was away, between
	// the commit and the ack.
	WasDeleted func(context.Context, event.Event) (bool, error)

	Log zerolog.Logger
}

func (o Options) withDefaults() Options {
	o.Workers = max(o.Workers, 1)
	if o.AckWait <= 0 {
		o.AckWait = 15 * time.Second
	}
	if o.MaxAckPending <= 0 {
		o.MaxAckPending = 20_000
	}
	if o.Idle <= 0 {
		o.Idle = 2 * time.Second
	}
	if o.Grace <= 0 {
		o.Grace = 30 * time.Second
	}
	return o
}

var (
	errNotStarted = errors.New("consuming has not begun")
	errEnded      = errors.New("consuming has ended")
)

// Consumer fetches events in batches, has them judged and settles them.
type Consumer struct {
	q *Queue
	h event.Handler
	o Options

	queueDown *outage // the queue does not answer
	dbDown    *outage // the environment does not permit deletions
	paused    *outage // somebody paused the consumer
	recovered atomic.Bool
	inHand    atomic.Int64  // batches between the fetcher and their settlement
	settled   chan struct{} // after inHand went down

	// Of the fetcher's goroutine.
	source          jetstream.Consumer
	limit           *rate.Limiter               // nil without a limit
	rate            float64                     // of the limiter
	reconnectPauses *backoff.ExponentialBackOff // pauses while the queue is away
	recoverPauses   *backoff.ExponentialBackOff // pauses while the environment is broken
	behind          bool                        // more waited behind the last batch
	trimmed         time.Time                   // when room was last made
	target          uint64                      // events that a dry run's drain is about
	asked           time.Time                   // when the consumer was last asked whether it is paused

	heartbeat    loop.Heartbeat // of the fetcher
	progress     progress       // of a drain
	drainTimeout time.Duration  // of a drain that makes none
	askEvery     time.Duration
	maxWaiting   time.Duration // of a batch, for a worker that is free

	mu  sync.Mutex
	sum Summary
}

// New returns a consumer of a queue's events.
func New(q *Queue, h event.Handler, o Options) *Consumer {
	c := &Consumer{
		q: q, h: h, o: o.withDefaults(),
		queueDown: newOutage(), dbDown: newOutage(), paused: newOutage(), settled: make(chan struct{}, 1),
		reconnectPauses: loop.NewBackoff(100*time.Millisecond, 5*time.Second),
		recoverPauses:   loop.NewBackoff(500*time.Millisecond, 30*time.Second),

		drainTimeout: defaultDrainTimeout, askEvery: pausedEvery, maxWaiting: defaultMaxWaiting,
	}
	c.queueDown.set(errNotStarted)
	c.applyRate()
	return c
}

// State says why no events are handled, or nil.
func (c *Consumer) State() error {
	return errors.Join(c.queueDown.err(), c.dbDown.err(), c.paused.err())
}

// Run consumes until ctx ends, or, draining, until nothing is left, or nothing goes
// on any more (ErrStuck). Then nothing more is fetched, and the batches in hand are
// finished and settled within Options.Grace. The end of ctx is no error.
func (c *Consumer) Run(ctx context.Context) (Summary, error) {
	began := time.Now()
	if err := c.startConsumer(ctx); err != nil {
		if ctx.Err() != nil {
			err = nil
		}
		return Summary{}, err
	}
	defer c.stopConsumer(ctx)
	work, release := withGrace(ctx, c.o.Grace)
	defer release()

	batches := make(chan batch)
	var workers sync.WaitGroup
	for range c.o.Workers {
		workers.Go(func() { c.runWorker(work, batches) })
	}
	moving, stop := c.withStallDetection(ctx)
	defer stop()
	err := c.fetchAndDispatch(moving, batches)
	if cause := context.Cause(moving); errors.Is(cause, ErrStuck) {
		err = errors.Join(cause, err)
	}
	close(batches)
	workers.Wait()

	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.Duration = time.Since(began).Seconds()
	return c.sum, err
}

// withGrace returns a context that ends a while after ctx does.
func withGrace(ctx context.Context, while time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(while, func() {
			cancel(fmt.Errorf("%s after the stop: %w", while, context.Canceled))
		})
	})
	return longer, func() {
		stop()
		cancel(nil)
	}
}

// fetchAndDispatch fetches batches and hands each to a worker that is free, so that the next
// fetch overlaps the running transactions.
func (c *Consumer) fetchAndDispatch(ctx context.Context, batches chan<- batch) error {
	for eager := true; ctx.Err() == nil; {
		c.heartbeat.Beat()
		if err := c.awaitResumed(ctx); err != nil {
			return err
		}
		if c.awaitDatabase(ctx); ctx.Err() != nil {
			return nil
		}
		c.applyRate()
		c.trimStream(ctx)
		b, err := c.fetchNext(ctx, eager)
		if err != nil {
			if err := c.reconnect(ctx, err); err != nil {
				return err
			}
			continue
		}
		c.markUp()
		eager = len(b.msgs) > 0
		if eager {
			b.messages, b.invalid = c.parseMessages(b.msgs) // beside the running transactions
			c.behind = isBehind(b)
			c.dispatch(ctx, b, batches)
			c.throttle(ctx, len(b.msgs))
		} else {
			c.askPaused(ctx)
		}
		if c.o.Drain && (c.isDryRunDone() || !eager && c.isDrained(ctx)) {
			return nil
		}
	}
	return nil
}

// defaultMaxWaiting is how long a batch waits for a worker before another process may have it.
const defaultMaxWaiting = 30 * time.Second

// dispatch gives a batch to a worker. One that cannot start in good time, or not before
// the work is paused, goes back to the queue.
func (c *Consumer) dispatch(ctx context.Context, b batch, batches chan<- batch) {
	c.inHand.Add(1)
	b.release = c.keepLease(b.msgs)
	if !c.offerBatch(ctx, b, batches) {
		c.nakAll(b.msgs)
		c.releaseBatch(b)
	}
}

// offerBatch returns true once a worker has taken the batch.
func (c *Consumer) offerBatch(ctx context.Context, b batch, batches chan<- batch) bool {
	late := time.NewTimer(time.Until(b.fetched.Add(c.maxWaiting)))
	defer late.Stop()
	for {
		_, changed := c.o.Control.Current()
		if c.pausedError() != nil {
			return false
		}
		select {
		case batches <- b:
			return true
		case <-changed:
		case <-ctx.Done():
			return false
		case <-c.dbDown.isSet():
			return false
		case <-late.C:
			return false
		}
	}
}

// releaseBatch notes that a batch is out of everybody's hands.
func (c *Consumer) releaseBatch(b batch) {
	b.release()
	c.inHand.Add(-1)
	select {
	case c.settled <- struct{}{}:
	default:
	}
}

// awaitDatabase blocks while nothing can be deleted.
func (c *Consumer) awaitDatabase(ctx context.Context) {
	if c.dbDown.err() == nil {
		return
	}
	if c.recovered.Swap(false) {
		c.recoverPauses.Reset()
	}
	for loop.Sleep(ctx, c.recoverPauses.NextBackOff()) {
		c.heartbeat.Beat()
		if c.o.Ready == nil {
			break
		}
		err := c.progress.track(func() error { return c.o.Ready(ctx) })
		if err == nil {
			break
		}
		c.dbDown.set(err)
	}
	if ctx.Err() == nil && c.dbDown.clear() {
		c.o.Log.Info().Msg("files can be deleted again, consuming goes on")
	}
}

// Silent is how long the loop that fetches has not come round, though nothing that
// may take long is under way. It comes round in a minute, whatever is away.
func (c *Consumer) Silent() time.Duration {
	if c.progress.isBusy() {
		return 0
	}
	return c.heartbeat.Age()
}
