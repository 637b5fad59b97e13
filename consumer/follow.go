package consumer

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/loop"
)

// watchAnew is how often a follower begins to watch anew, which reads everything again: a
// watch tells nothing of a stream that was deleted under it.
const watchAnew = 30 * time.Second

var errWatchEnded = errors.New("the watch has ended")

// Follower follows what people say. While the queue is away it holds what was said last.
// A nil one follows nothing, and nothing was said to it.
type Follower struct {
	q     *Queue
	every time.Duration // a watch lasts
	end   context.CancelFunc
	ended chan struct{}

	mu      sync.Mutex
	control Control
	changed chan struct{} // closed with the next change
}

// Follow reads what was said, and follows it until Close: whoever asks it afterwards never
// takes what was paused for what goes on.
func (q *Queue) Follow(ctx context.Context) (*Follower, error) { return q.followAnew(ctx, watchAnew) }

func (q *Queue) followAnew(ctx context.Context, every time.Duration) (*Follower, error) {
	control, err := q.ReadControl(ctx)
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	f := &Follower{q: q, every: every, end: end, ended: make(chan struct{}), changed: make(chan struct{})}
	f.set(control)
	go f.run(ctx)
	return f, nil
}

// Close ends it.
func (f *Follower) Close() {
	f.end()
	<-f.ended
}

// Current is what was said last, and a channel that is closed when something else was.
func (f *Follower) Current() (Control, <-chan struct{}) {
	if f == nil {
		return Control{}, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.control, f.changed
}

// IsPaused says whether the work is.
func (f *Follower) IsPaused() bool {
	control, _ := f.Current()
	return control.Paused != nil
}

func (f *Follower) set(control Control) {
	f.mu.Lock()
	defer f.mu.Unlock()
	was := f.control
	if reflect.DeepEqual(was, control) {
		return
	}
	f.control = control
	close(f.changed)
	f.changed = make(chan struct{})
	log := f.q.opts.Log
	switch err := control.WhyPaused(); {
	case err != nil && was.Paused == nil:
		log.Warn().Err(err).Msg("nothing more is begun")
	case err == nil && was.Paused != nil:
		log.Info().Msg("the work was resumed")
	}
	if !reflect.DeepEqual(was.Rate, control.Rate) {
		log.Info().Interface("rate", control.Rate).Msg("the rate was changed")
	}
}

func (f *Follower) run(ctx context.Context) {
	defer close(f.ended)
	again := loop.NewBackoff(100*time.Millisecond, 5*time.Second)
	for ctx.Err() == nil {
		err := f.watch(ctx)
		if err == nil {
			again.Reset()
			continue
		}
		f.q.opts.Log.Debug().Err(err).Msg("what people say cannot be followed; it is tried again")
		loop.Sleep(ctx, again.NextBackOff())
	}
}

// watch follows for a while.
func (f *Follower) watch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, f.every)
	defer cancel()
	bucket, err := f.q.controlBucket(ctx)
	if err != nil {
		return err
	}
	watcher, err := bucket.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("watching bucket %s: %w", bucket.Bucket(), err)
	}
	defer func() { _ = watcher.Stop() }()
	return f.followUpdates(ctx, watcher.Updates())
}

// followUpdates takes over what is there as a whole, which ends with a nil, and then each
// change.
func (f *Follower) followUpdates(ctx context.Context, updates <-chan jetstream.KeyValueEntry) error {
	var said Control
	for whole := false; ; {
		select {
		case <-ctx.Done():
			return nil
		case entry, open := <-updates:
			switch {
			case !open && ctx.Err() == nil:
				return errWatchEnded
			case !open:
				return nil
			case entry == nil:
				whole = true
			default:
				said = said.with(entry)
			}
			if whole {
				f.set(said)
			}
		}
	}
}
