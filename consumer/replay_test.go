package consumer

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/repo"
)

func replayed(t *testing.T, q *Queue, h event.Handler, o ReplayOptions) Summary {
	t.Helper()
	o.Log = Log(t)
	sum, err := Replay(Context(t), q, h, o)
	require.NoError(t, err)
	require.Empty(t, replays(t, q), "a replay that ended leaves nothing")
	return sum
}

// replays are the consumers that are not the durable one.
func replays(t *testing.T, q *Queue) (names []string) {
	t.Helper()
	for _, stream := range []string{q.names.stream, q.names.deadLetterStream()} {
		s, err := q.js.Stream(Context(t), stream)
		require.NoError(t, err)
		list := s.ConsumerNames(Context(t))
		for name := range list.Name() {
			if name != durableName {
				names = append(names, name)
			}
		}
		require.NoError(t, list.Err())
	}
	return names
}

func durable(t *testing.T, q *Queue) jetstream.ConsumerInfo {
	t.Helper()
	c, err := q.js.Consumer(Context(t), q.names.stream, durableName)
	require.NoError(t, err)
	info := *c.CachedInfo()
	info.TimeStamp, info.Cluster = time.Time{}, nil
	return info
}

func TestReplayOfEverything(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(1000))
	Drain(t, q, &fake{}, Options{})
	Publish(t, q, EventsOf(event.New("pending", "s", "")))
	before := durable(t, q)
	h := &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		// What comes while it goes on is none of its business.
		Publish(t, q, EventsOf(event.New("new", "s", "")))
		for _, e := range events {
			require.Equal(t, "a test", e.Reason)
		}
		return all(events, event.Deleted), nil
	}}
	var name string
	var last, of uint64
	sum := replayed(t, q, h, ReplayOptions{
		All: true, Reason: "a test",
		Started:  func(n string, total uint64) { name, of = n, total },
		Progress: func(done, total uint64) { last = done },
	})
	require.Equal(t, 1001, sum.Deleted)
	require.Equal(t, 1001, h.files())
	require.NotContains(t, h.seen, "new")
	require.NotEmpty(t, name)
	require.EqualValues(t, 1001, of)
	require.EqualValues(t, 1001, last)
	after := durable(t, q)
	require.Positive(t, after.NumPending)
	after.NumPending = before.NumPending
	require.Equal(t, before, after, "the durable consumer is as it was")
}

func TestReplayOfAPart(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(10))
	require.NoError(t, q.PublishHint(Context(t), "a", "chat.deleted", nil))
	s, err := q.js.Stream(Context(t), "PRUNED")
	require.NoError(t, err)
	seventh, err := s.GetMsg(Context(t), 7)
	require.NoError(t, err)
	for _, o := range []ReplayOptions{{FromSeq: 7}, {Since: seventh.Time}} {
		h := &fake{}
		require.Equal(t, 4, replayed(t, q, h, o).Deleted)
		require.Contains(t, h.seen, "f-6")
		require.NotContains(t, h.seen, "f-5")
	}
	require.Zero(t, replayed(t, q, &fake{}, ReplayOptions{Since: time.Now().Add(time.Hour)}).Events)
	require.Zero(t, replayed(t, q, &fake{}, ReplayOptions{Dead: true}).Events)
}

func TestReplayHasOneBeginning(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	for _, o := range []ReplayOptions{{}, {All: true, Dead: true}, {FromSeq: 1, Since: time.Now()}} {
		_, err := Replay(Context(t), q, &fake{}, o)
		require.ErrorContains(t, err, "one beginning")
	}
	for _, name := range []string{"unknown", "bad name", ">"} {
		_, err := Replay(Context(t), q, &fake{}, ReplayOptions{Resume: name})
		require.ErrorIs(t, err, ErrNoReplay)
	}
}

// Every outcome is settled as in a run.
func TestReplaySettlesAsARunDoes(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	for _, o := range []event.Outcome{event.Deleted, event.Gone, event.Kept, event.Young, event.Poison, event.Busy, event.Failed} {
		Publish(t, q, EventsOf(event.New(string(o)+"-1", "s", "")))
	}
	_, err := q.js.Publish(Context(t), q.names.eventSubject("s"), []byte("no event"))
	require.NoError(t, err)
	replay := func() Summary {
		handled := map[string]bool{}
		return replayed(t, q, &fake{handle: func(ctx context.Context, events []event.Delivery) ([]event.Result, error) {
			results, err := byPrefix(ctx, events)
			for i, e := range events {
				if !handled[e.ID] {
					handled[e.ID] = true
					results[i].RetryIn = time.Millisecond
				} else {
					results[i].Outcome = event.Deleted
				}
			}
			return results, err
		}}, ReplayOptions{All: true})
	}
	sum := replay()
	sum.Duration, sum.Batches = 0, 0
	require.Equal(t, Summary{Events: 10, Deleted: 3, Gone: 1, Kept: 1, Young: 1, Poison: 1, Busy: 1, Failed: 1, Invalid: 1}, sum)
	require.Len(t, deadLetters(t, q), 2)
	later, err := q.js.Stream(Context(t), q.names.scheduleStream())
	require.NoError(t, err)
	require.EqualValues(t, 1, later.CachedInfo().State.Msgs)
	require.Equal(t, 1, replay().Poison)
	require.Len(t, deadLetters(t, q), 2, "the second dead letter of an event is its first")
}

func deadLetters(t *testing.T, q *Queue) (letters []DeadLetter) {
	t.Helper()
	for d, err := range q.DeadLetters(Context(t)) {
		require.NoError(t, err)
		letters = append(letters, d)
	}
	return letters
}

func TestDryReplayLeavesNothing(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, EventsOf(event.New("young-1", "s", ""), event.New("poison-1", "s", ""), event.New("busy-1", "s", ""), event.New("deleted-1", "s", "")))
	Drain(t, q, &fake{handle: byPrefix}, Options{DryRun: true})
	var name string
	sum := replayed(t, q, &fake{handle: byPrefix}, ReplayOptions{All: true, DryRun: true, Started: func(n string, _ uint64) { name = n }})
	require.Equal(t, 4, sum.Events)
	require.Empty(t, name)
	require.Empty(t, deadLetters(t, q))
	later, err := q.js.Stream(Context(t), q.names.scheduleStream())
	require.NoError(t, err)
	require.Zero(t, later.CachedInfo().State.Msgs)
}

func TestReplayGoesOnWhereItStood(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	const n = 1000
	Publish(t, q, someEvents(n))
	ctx, stop := context.WithCancel(Context(t))
	defer stop()
	h := &fake{}
	h.handle = func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		if h.files() >= n/2 {
			stop()
		}
		return all(events, event.Deleted), nil
	}
	var name string
	first, err := Replay(ctx, q, h, ReplayOptions{All: true, Reason: "why", Log: Log(t), Started: func(n string, _ uint64) { name = n }})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "--resume "+name)
	require.Less(t, first.Events, n)
	require.Equal(t, []string{replayPrefix + name}, replays(t, q))

	rest := &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		for _, e := range events {
			require.Equal(t, "why", e.Reason)
		}
		return all(events, event.Deleted), nil
	}}
	Publish(t, q, EventsOf(event.New("new", "s", "")))
	second := replayed(t, q, rest, ReplayOptions{Resume: name})
	require.Equal(t, n, first.Events+second.Events, "nothing twice, nothing forgotten")
	for id := range rest.seen {
		require.NotContains(t, h.seen, id)
	}
	_, err = Replay(Context(t), q, h, ReplayOptions{Resume: name})
	require.ErrorIs(t, err, ErrNoReplay, "it is complete")
}

// A process that died holds leases: what it had in hand comes to the next one.
func TestReplayOfAProcessThatDied(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(100))
	r := &replay{q: q, c: New(q, &fake{}, Options{}), o: ReplayOptions{All: true}}
	require.NoError(t, r.openSource(Context(t)))
	msgs, err := fetchMessages(r.source, 60, jetstream.FetchMaxWait(Patience))
	require.NoError(t, err)
	require.NoError(t, q.ackAll(Context(t), msgs[:20]))

	h := &fake{}
	require.Equal(t, 80, replayed(t, q, h, ReplayOptions{Resume: r.name}).Deleted)
}

func TestReplayEndsWhereNothingCanBeDeleted(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(10))
	broken := &repo.Error{Kind: repo.Environment, Doing: "delete", Err: errors.New("read-only")}
	var name string
	_, err := Replay(Context(t), q, &fake{handle: func(context.Context, []event.Delivery) ([]event.Result, error) { return nil, broken }},
		ReplayOptions{All: true, Log: Log(t), Started: func(n string, _ uint64) { name = n }})
	require.ErrorIs(t, err, broken)
	require.Equal(t, 10, replayed(t, q, &fake{}, ReplayOptions{Resume: name}).Deleted)
}

func TestReplayOfDeadLetters(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, EventsOf(event.New("poison-1", "s", ""), event.New("poison-2", "s", ""), event.New("poison-3", "s", "")))
	_, err := q.js.Publish(Context(t), q.names.eventSubject("s"), []byte("no event"))
	require.NoError(t, err)
	Drain(t, q, &fake{handle: byPrefix}, Options{})
	require.Len(t, deadLetters(t, q), 4)
	outcomes := map[string]event.Outcome{"poison-1": event.Deleted, "poison-2": event.Poison, "poison-3": event.Young}
	h := &fake{handle: func(_ context.Context, events []event.Delivery) (results []event.Result, _ error) {
		for _, e := range events {
			results = append(results, event.Result{Outcome: outcomes[e.Subject], RetryIn: time.Hour})
		}
		return results, nil
	}}
	require.Equal(t, 4, replayed(t, q, h, ReplayOptions{Dead: true, DryRun: true}).Events)
	require.Len(t, deadLetters(t, q), 4)

	sum := replayed(t, q, h, ReplayOptions{Dead: true})
	require.Equal(t, []int{1, 1, 1, 1}, []int{sum.Deleted, sum.Poison, sum.Young, sum.Invalid})
	var left []string
	for _, d := range deadLetters(t, q) {
		left = append(left, d.Kind+" "+d.FileID)
	}
	require.ElementsMatch(t, []string{"invalid ", "poison poison-2"}, left)
	require.Zero(t, QueueBacklog(t, q))
}

// A rate holds for replays too: no batch is larger than what a second allows, and the
// next one waits for the rest of that second. (No slow machine breaks a lower bound.)
func TestReplayKeepsToARate(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(20))
	sum := replayed(t, q, &fake{}, ReplayOptions{All: true, Rate: 10})
	require.Equal(t, 20, sum.Events)
	require.GreaterOrEqual(t, sum.Batches, 2)
	require.GreaterOrEqual(t, sum.Duration, 0.9)
}
