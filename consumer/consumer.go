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

// Options say how claims are consumed.
type Options struct {
	Workers       int           // batches handled at the same time; 1 if less
	AckWait       time.Duration // of a lease; 60 s if zero
	MaxAckPending int           // messages delivered and not settled; 20,000 if zero
	Rate          float64       // files per second; 0 for no limit
	Grace         time.Duration // for batches in hand when Run is told to stop; 30 s if zero
	Idle          time.Duration // how long an empty queue is listened to at once; 2 s if zero
	Drain         bool          // end as soon as nothing is left to do
	DryRun        bool          // settle nothing

	// Ready is asked, with growing pauses, after the handler said that nothing
	// can be deleted. When it agrees claims are fetched again.
	Ready func(context.Context) error
	// Due says whether a drain has anything else left to do.
	Due func(context.Context) (bool, error)
	// Progress is told after each batch how many events are done, and how many
	// were waiting behind the batch when it was fetched.
	Progress func(done, pending uint64)
	// Observe is told what became of each batch. Workers call it at the same
	// time.
	Observe func(Summary)

	Log zerolog.Logger
}

func (o Options) withDefaults() Options {
	o.Workers = max(o.Workers, 1)
	if o.AckWait <= 0 {
		o.AckWait = time.Minute
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

// Consumer fetches claims in batches, has them judged and settles them.
type Consumer struct {
	q *Queue
	h event.Handler
	o Options

	away    *outage // the queue does not answer
	broken  *outage // the environment does not permit deletions
	paused  *outage // somebody paused the consumer
	calm    atomic.Bool
	inHand  atomic.Int64  // batches between the fetcher and their settlement
	settled chan struct{} // after inHand went down

	// Of the fetcher's goroutine.
	source  jetstream.Consumer
	limit   *rate.Limiter
	again   *backoff.ExponentialBackOff // pauses while the queue is away
	recover *backoff.ExponentialBackOff // pauses while the environment is broken
	cleaned time.Time                   // when room was last made
	target  uint64                      // events that a dry run's drain is about
	asked   time.Time                   // when the consumer was last asked whether it is paused

	pulse    loop.Heartbeat // of the fetcher
	progress progress       // of a drain
	patience time.Duration  // of a drain that makes none
	askEvery time.Duration

	mu  sync.Mutex
	sum Summary
}

// New returns a consumer of a queue's claims.
func New(q *Queue, h event.Handler, o Options) *Consumer {
	c := &Consumer{
		q: q, h: h, o: o.withDefaults(),
		away: newOutage(), broken: newOutage(), paused: newOutage(), settled: make(chan struct{}, 1),
		again:   loop.Backoff(100*time.Millisecond, 5*time.Second),
		recover: loop.Backoff(500*time.Millisecond, 30*time.Second),

		patience: drainPatience, askEvery: pausedEvery,
	}
	c.away.begin(errNotStarted)
	if o.Rate > 0 {
		burst := max(1, int(o.Rate))
		c.limit = rate.NewLimiter(rate.Limit(o.Rate), burst)
		// It begins empty: each batch is paid for after it was handed over.
		c.limit.AllowN(time.Now(), burst)
	}
	return c
}

// State says why no claims are handled, or nil.
func (c *Consumer) State() error { return errors.Join(c.away.err(), c.broken.err(), c.paused.err()) }

// Run consumes until ctx ends, or, draining, until nothing is left, or nothing goes
// on any more (ErrStuck). Then nothing more is fetched, and the batches in hand are
// finished and settled within Options.Grace. The end of ctx is no error.
func (c *Consumer) Run(ctx context.Context) (Summary, error) {
	began := time.Now()
	if err := c.start(ctx); err != nil {
		if ctx.Err() != nil {
			err = nil
		}
		return Summary{}, err
	}
	defer c.leave(ctx)
	work, release := outlast(ctx, c.o.Grace)
	defer release()

	batches := make(chan batch)
	var workers sync.WaitGroup
	for range c.o.Workers {
		workers.Go(func() { c.work(work, batches) })
	}
	moving, stop := c.whileMoving(ctx)
	defer stop()
	err := c.feed(moving, batches)
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

// outlast returns a context that ends a while after ctx does.
func outlast(ctx context.Context, while time.Duration) (context.Context, context.CancelFunc) {
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

// feed fetches batches and hands each to a worker that is free, so that the next
// fetch overlaps the running transactions.
func (c *Consumer) feed(ctx context.Context, batches chan<- batch) error {
	for eager := true; ctx.Err() == nil; {
		c.pulse.Beat()
		if c.awaitEnvironment(ctx); ctx.Err() != nil {
			return nil
		}
		c.makeRoom(ctx)
		b, err := c.next(ctx, eager)
		if err != nil {
			if err := c.mend(ctx, err); err != nil {
				return err
			}
			continue
		}
		c.answered()
		eager = len(b.msgs) > 0
		if eager {
			b.claims, b.invalid = c.open(b.msgs) // beside the running transactions
			c.hand(ctx, b, batches)
			c.pace(ctx, len(b.msgs))
		}
		if !eager {
			c.lookPaused(ctx)
		}
		if c.o.Drain && (c.rehearsed() || !eager && c.drained(ctx)) {
			return nil
		}
	}
	return nil
}

// hand gives a batch to a worker. One that cannot start in good time goes back
// to the queue.
func (c *Consumer) hand(ctx context.Context, b batch, batches chan<- batch) {
	late := time.NewTimer(time.Until(b.lease.Add(-c.o.AckWait / 2)))
	defer late.Stop()
	c.inHand.Add(1)
	select {
	case batches <- b:
		return
	case <-ctx.Done():
	case <-c.broken.hasBegun():
	case <-late.C:
	}
	c.giveBack(b.msgs)
	c.release()
}

// release notes that a batch is out of everybody's hands.
func (c *Consumer) release() {
	c.inHand.Add(-1)
	select {
	case c.settled <- struct{}{}:
	default:
	}
}

// pace waits until the rate allows another batch.
func (c *Consumer) pace(ctx context.Context, n int) {
	if c.limit != nil {
		// Not WaitN: it does not wait at all for what comes after ctx ends.
		_ = c.progress.during(func() error {
			loop.Sleep(ctx, c.limit.ReserveN(time.Now(), n).Delay())
			return nil
		})
	}
}

// awaitEnvironment blocks while nothing can be deleted.
func (c *Consumer) awaitEnvironment(ctx context.Context) {
	if c.broken.err() == nil {
		return
	}
	if c.calm.Swap(false) {
		c.recover.Reset()
	}
	for loop.Sleep(ctx, c.recover.NextBackOff()) {
		c.pulse.Beat()
		if c.o.Ready == nil {
			break
		}
		err := c.progress.during(func() error { return c.o.Ready(ctx) })
		if err == nil {
			break
		}
		c.broken.begin(err)
	}
	if ctx.Err() == nil && c.broken.end() {
		c.o.Log.Info().Msg("files can be deleted again, consuming goes on")
	}
}

// Silent is how long the loop that fetches has not come round, though nothing that
// may take long is under way. It comes round in a minute, whatever is away.
func (c *Consumer) Silent() time.Duration {
	if c.progress.working() {
		return 0
	}
	return c.pulse.Since()
}
