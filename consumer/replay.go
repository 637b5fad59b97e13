package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"pruned/consumer/event"
)

// ErrNoReplay: no interrupted replay has that name.
var ErrNoReplay = errors.New("no such interrupted replay")

// ReplayOptions say which events come again. One of the first four is given, or
// Resume.
type ReplayOptions struct {
	Since   time.Time // those stored at this time or later
	FromSeq uint64    // those from this number of the stream on
	All     bool      // everything that the stream still has
	Dead    bool      // dead letters; those that succeed are removed
	Resume  string    // name of a replay that was interrupted: what is left of it

	Reason  string    // for the ledger, in place of the events' own
	DryRun  bool      // settles nothing, and cannot be resumed
	Rate    float64   // files per second; 0 for no limit
	Control *Follower // what people say; may be nil

	// Started is told under which name the replay can be resumed, none for a dry
	// run, and how many events it is about.
	Started func(name string, total uint64)
	// Progress is told after each batch how many of them are settled.
	Progress func(done, total uint64)

	Log zerolog.Logger
}

// Replay hands events to the handler once more, beside the durable consumer and
// without its notice, in the order in which they were stored, up to the last one
// that was there when it began. They are settled as in a run, so that what is
// young is scheduled and poison gets its dead letter. Interrupted, by ctx or by
// an error, it can be resumed by name, for a day.
func Replay(ctx context.Context, q *Queue, h event.Handler, o ReplayOptions) (Summary, error) {
	began := time.Now()
	r := &replay{q: q, o: o, c: New(q, h, Options{Rate: o.Rate, DryRun: o.DryRun, Control: o.Control, Log: o.Log})}
	if err := r.openSource(ctx); err != nil {
		return Summary{}, err
	}
	if o.Started != nil {
		o.Started(r.name, r.total)
	}
	err := r.runBatches(ctx)
	if err == nil || o.DryRun {
		r.deleteSource(ctx)
	}
	if err != nil && r.name != "" {
		err = fmt.Errorf("the replay is not complete, --resume %s goes on with it: %w", r.name, err)
	}
	r.c.sum.Duration = time.Since(began).Seconds()
	return r.c.sum, err
}

// replay is one under way.
type replay struct {
	q *Queue
	o ReplayOptions
	c *Consumer // opens, judges and settles; it does not fetch

	stream string
	source jetstream.Consumer
	name   string // nobody can resume a dry run: none
	until  uint64 // the last message that it is about
	reason string
	total  uint64
	done   uint64
}

// runBatches handles batch after batch until nothing is left. The batch in hand when ctx
// ends is finished.
func (r *replay) runBatches(ctx context.Context) error {
	work, release := withGrace(ctx, r.c.o.Grace)
	defer release()
	for wait := linger; ; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.c.pausedError(); err != nil {
			return err
		}
		r.c.applyRate()
		msgs, err := fetchMessages(r.source, r.c.fetchSize(), jetstream.FetchMaxWait(wait))
		if len(msgs) > 0 {
			wait = linger
			if err := r.handleBatch(work, msgs); err != nil {
				return err
			}
			r.c.throttle(ctx, len(msgs))
		}
		if err != nil {
			return fmt.Errorf("reading stream %s: %w", r.stream, err)
		}
		if len(msgs) > 0 {
			continue
		}
		finished, err := r.isFinished(ctx)
		if err != nil || finished {
			return err
		}
		wait = time.Second // for what comes again
	}
}

// handleBatch has the messages of one fetch judged, and settles them. What was stored
// after the replay began is none of its business.
func (r *replay) handleBatch(ctx context.Context, msgs []jetstream.Msg) error {
	began := time.Now()
	defer r.c.keepLease(msgs)()
	here, beyond := r.splitAtEnd(msgs)
	if len(beyond) > 0 {
		if err := r.q.ackAll(ctx, beyond); err != nil {
			return err
		}
	}
	if len(here) == 0 {
		return nil
	}
	messages, invalid := r.c.parseMessages(here)
	if r.reason != "" {
		for _, m := range messages {
			m.event.Reason = r.reason
		}
	}
	if len(messages) > 0 {
		r.c.callHandler(ctx, messages)
	}
	messages = append(messages, invalid...)
	r.settleMessages(ctx, messages)
	r.c.reportBatch(messages, time.Since(began))
	r.reportProgress(messages)
	return r.c.dbDown.err()
}

func (r *replay) splitAtEnd(msgs []jetstream.Msg) (here, beyond []jetstream.Msg) {
	for _, msg := range msgs {
		if meta, err := msg.Metadata(); err == nil && meta.Sequence.Stream > r.until {
			beyond = append(beyond, msg)
			continue
		}
		here = append(here, msg)
	}
	return here, beyond
}

// reportProgress counts what is settled for good.
func (r *replay) reportProgress(messages []*message) {
	for _, m := range messages {
		if m.result.Outcome != "" && (r.o.DryRun || m.result.Outcome.IsFinal()) {
			r.done++
		}
	}
	if r.o.Progress != nil {
		r.o.Progress(min(r.done, r.total), r.total)
	}
}

// isFinished says whether nothing is left, by the server's count.
func (r *replay) isFinished(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	info, err := r.source.Info(ctx)
	if err != nil {
		return false, fmt.Errorf("asking what is left of a replay of stream %s: %w", r.stream, err)
	}
	left := backlogOf(info)
	return left.Unacked == 0 && (left.Pending == 0 || info.Delivered.Stream >= r.until), nil
}

// settleMessages settles events of the stream as a run does. Dead letters stay where
// they are, unless what they say has succeeded.
func (r *replay) settleMessages(ctx context.Context, messages []*message) {
	if r.stream != r.q.names.deadLetterStream() || r.o.DryRun {
		r.c.settleBatch(ctx, messages)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	r.c.scheduleYoung(ctx, messages)
	var failed error
	var acks []jetstream.Msg
	for _, m := range messages {
		err := r.removeSucceeded(ctx, m)
		if err == nil && m.result.Outcome != "" && m.result.Outcome.IsFinal() {
			acks = append(acks, m.msg)
		} else {
			failed = errors.Join(failed, err, r.c.nakOrTerm(m))
		}
	}
	if failed = errors.Join(failed, r.q.ackAll(ctx, acks)); failed != nil {
		r.o.Log.Warn().Err(failed).Msg("not every dead letter could be settled; it comes again")
	}
}

// removeSucceeded removes a dead letter whose event has succeeded.
func (r *replay) removeSucceeded(ctx context.Context, m *message) error {
	switch m.result.Outcome {
	case event.Deleted, event.Gone, event.Kept, event.Young:
	default:
		return nil
	}
	s, err := r.q.js.Stream(ctx, r.stream)
	if err == nil {
		err = s.DeleteMsg(ctx, m.meta.Sequence.Stream)
	}
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		m.result = event.Result{Outcome: event.Failed, Err: err}
		return fmt.Errorf("removing the dead letter of file %s: %w", m.event.Subject, err)
	}
	return nil
}
