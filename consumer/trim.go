package consumer

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// trimEvery is how often a consumer looks how full the stream is.
const trimEvery = 30 * time.Second

// trimStream lets history give way to new events. A stream with limits keeps what
// is settled, for replay; when it is nearly full it would refuse new events
// although nobody needs the old ones. So the older half of what every durable
// consumer has settled is purged. What anybody has still to read stays.
func (c *Consumer) trimStream(ctx context.Context) {
	if c.o.DryRun || time.Since(c.trimmed) < trimEvery || !c.q.nc.IsConnected() {
		return
	}
	c.trimmed = time.Now()
	asking, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	purged, err := c.q.purgeAcked(asking)
	if err != nil && ctx.Err() == nil {
		c.o.Log.Warn().Err(err).Msg("no room could be made in the queue")
	}
	if purged > 0 {
		c.o.Log.Info().Uint64("messages", purged).Msg("the queue was nearly full, settled messages were purged; they cannot be replayed")
	}
}

func (q *Queue) purgeAcked(ctx context.Context) (uint64, error) {
	s, err := q.js.Stream(ctx, q.names.stream)
	if err != nil {
		return 0, fmt.Errorf("looking how full stream %s is: %w", q.names.stream, err)
	}
	info := s.CachedInfo()
	if most := info.Config.MaxBytes; most <= 0 || info.State.Bytes < uint64(most)/10*9 {
		return 0, nil
	}
	floor, err := q.ackedUpTo(ctx, s, info.State.LastSeq)
	if err != nil {
		return 0, err
	}
	first := info.State.FirstSeq
	if floor < first {
		return 0, nil
	}
	upTo := first + (floor-first)/2 + 1
	if err := s.Purge(ctx, jetstream.WithPurgeSequence(upTo)); err != nil {
		return 0, fmt.Errorf("purging stream %s up to %d: %w", q.names.stream, upTo, err)
	}
	return upTo - first, nil
}

// ackedUpTo returns the sequence up to which no durable consumer has anything
// left to read or to settle, last at most. Where ours is missing everything is
// left to read.
func (q *Queue) ackedUpTo(ctx context.Context, s jetstream.Stream, last uint64) (uint64, error) {
	floor, ours := last, false
	list := s.ListConsumers(ctx)
	for c := range list.Info() {
		if c.Config.Durable == "" {
			continue
		}
		ours = ours || c.Name == durableName
		// The floor of one whose subjects are rare lags behind what it has read.
		if left := backlogOf(c); left.Pending+left.Unacked > 0 {
			floor = min(floor, c.AckFloor.Stream)
		}
	}
	if err := list.Err(); err != nil {
		return 0, fmt.Errorf("listing the consumers of stream %s: %w", q.names.stream, err)
	}
	if !ours {
		return 0, nil
	}
	return floor, nil
}
