package consumer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Control is what people said about the work of every process of an installation. It lies
// in a bucket of keys and values of the queue's, where all of them see it change.
type Control struct {
	Paused *Order     `json:"paused,omitempty"` // nil: the work goes on
	Rate   *RateOrder `json:"rate,omitempty"`   // nil: as PRUNED_RATE says
}

// Order is when something was said, and by whom.
type Order struct {
	At time.Time `json:"at"`
	By string    `json:"by"`
}

// RateOrder is how many events a process may handle in a second; zero: no limit.
type RateOrder struct {
	Order
	PerSecond float64 `json:"per_second"`
}

// ErrPaused: somebody paused the work.
var ErrPaused = errors.New("`pruned resume` lets it go on")

// WhyPaused is why nothing is begun, or nil.
func (c Control) WhyPaused() error {
	if c.Paused == nil {
		return nil
	}
	return fmt.Errorf("paused at %s by %s: %w", c.Paused.At.Local().Format(time.DateTime), c.Paused.By, ErrPaused)
}

// The keys of the bucket.
const (
	pausedKey = "paused"
	rateKey   = "rate"
)

// controlStream is the stream of the bucket, made here as the others are, so that it is
// owned, probed and removed as they are. What it holds does not expire.
func (q *Queue) controlStream() jetstream.StreamConfig {
	cfg := q.commonConfig(q.names.controlStream(), 0)
	cfg.Description = "what people said: pause, rate"
	cfg.Subjects = append(cfg.Subjects, "$KV."+q.names.controlBucket()+".>")
	cfg.MaxAge = 0
	cfg.MaxMsgsPerSubject = 1
	cfg.Discard = jetstream.DiscardNew
	cfg.AllowRollup = true
	return cfg
}

func (q *Queue) controlBucket(ctx context.Context) (jetstream.KeyValue, error) {
	bucket, err := askAgain(ctx, func(ctx context.Context) (jetstream.KeyValue, error) {
		return q.js.KeyValue(ctx, q.names.controlBucket())
	})
	if err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", q.names.controlBucket(), err)
	}
	return bucket, nil
}

// ReadControl reads what was said; nothing was where there is no bucket yet.
func (q *Queue) ReadControl(ctx context.Context) (c Control, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	bucket, err := q.controlBucket(ctx)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	for _, key := range []string{pausedKey, rateKey} {
		switch entry, err := askAgain(ctx, func(ctx context.Context) (jetstream.KeyValueEntry, error) { return bucket.Get(ctx, key) }); {
		case errors.Is(err, jetstream.ErrKeyNotFound):
		case err != nil:
			return c, fmt.Errorf("reading key %s of bucket %s: %w", key, bucket.Bucket(), err)
		default:
			c = c.with(entry)
		}
	}
	return c, nil
}

// with is the control after one more thing was said. Whoever writes into the bucket by
// other means pauses by any value; a rate that cannot be read is none.
func (c Control) with(entry jetstream.KeyValueEntry) Control {
	said := entry.Operation() == jetstream.KeyValuePut
	switch entry.Key() {
	case pausedKey:
		if c.Paused = nil; said {
			c.Paused = &Order{At: entry.Created(), By: "somebody"}
			_ = json.Unmarshal(entry.Value(), c.Paused)
		}
	case rateKey:
		var rate RateOrder
		if c.Rate = nil; said && json.Unmarshal(entry.Value(), &rate) == nil && rate.PerSecond >= 0 {
			c.Rate = &rate
		}
	}
	return c
}

// Pause has no process begin anything until Resume. It says since when that is so, and
// whether it was before.
func (q *Queue) Pause(ctx context.Context, by string) (since Order, was bool, err error) {
	c, err := q.ReadControl(ctx)
	if err != nil || c.Paused != nil {
		if c.Paused != nil {
			since = *c.Paused
		}
		return since, c.Paused != nil, err
	}
	since = Order{At: time.Now().UTC().Truncate(time.Second), By: by}
	return since, false, q.say(ctx, pausedKey, since)
}

// Resume lets the work go on. It says whether it was paused.
func (q *Queue) Resume(ctx context.Context) (was bool, err error) {
	c, err := q.ReadControl(ctx)
	if err != nil || c.Paused == nil {
		return false, err
	}
	return true, q.unsay(ctx, pausedKey)
}

// SetRate says how many events each process may handle in a second, as ParseRate reads it.
func (q *Queue) SetRate(ctx context.Context, perSecond *float64, by string) error {
	if perSecond == nil {
		return q.unsay(ctx, rateKey)
	}
	return q.say(ctx, rateKey, RateOrder{Order{time.Now().UTC().Truncate(time.Second), by}, *perSecond})
}

func (q *Queue) say(ctx context.Context, key string, what any) error {
	value, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("encoding key %s: %w", key, err)
	}
	return q.writeKey(ctx, key, func(bucket jetstream.KeyValue) error {
		_, err := bucket.Put(ctx, key, value)
		return err
	})
}

func (q *Queue) unsay(ctx context.Context, key string) error {
	return q.writeKey(ctx, key, func(bucket jetstream.KeyValue) error { return bucket.Delete(ctx, key) })
}

func (q *Queue) writeKey(ctx context.Context, key string, write func(jetstream.KeyValue) error) error {
	bucket, err := q.controlBucket(ctx)
	if err == nil {
		err = write(bucket)
	}
	if err != nil {
		return fmt.Errorf("writing key %s of bucket %s: %w", key, q.names.controlBucket(), storeError(err))
	}
	return nil
}
