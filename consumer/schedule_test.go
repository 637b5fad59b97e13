package consumer

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"pruned/consumer/event"
)

func TestScheduleFiresAsAClaim(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	q.soonest = 0
	spans := sdktrace.NewTracerProvider()
	q.opts.Tracer = spans.Tracer("test")
	_, young := q.opts.Tracer.Start(Context(t), "event")
	odd := strings.Repeat("odd id.*> ", 100)
	first, second := event.New("f", "publish", "why"), event.New(odd, "publish", "why")
	require.NoError(t, q.Schedule(Context(t), []ScheduledEvent{
		{Event: first, At: time.Now(), Span: young.SpanContext()},
		{Event: second, At: time.Now()},
	}))
	got := make(chan event.Delivery, 2)
	running(t, Quick(t, q, &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		for _, e := range events {
			got <- e
		}
		return all(events, event.Deleted), nil
	}}, Options{}))
	fired := map[string]event.Event{}
	for range 2 {
		d := Await(t, got)
		fired[d.Subject] = d.Event
		require.Equal(t, d.Subject == "f", d.Span.TraceID() == young.SpanContext().TraceID(), "it goes on in its trace")
	}
	require.Equal(t, map[string]event.Event{"f": first, odd: second}, fired)
}

func TestNewScheduleReplacesTheOld(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	for i := range 3 {
		require.NoError(t, q.Schedule(Context(t), []ScheduledEvent{
			{Event: event.New("f", "s", ""), At: time.Now().Add(time.Duration(i) * time.Hour)},
			{Event: event.New("g", "s", ""), At: time.Now()},
		}))
	}
	s, err := q.js.Stream(Context(t), "PRUNED_LATER")
	require.NoError(t, err)
	require.EqualValues(t, 2, s.CachedInfo().State.Msgs)
}

func TestManySchedules(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	var claims []ScheduledEvent
	for i := range 3000 {
		claims = append(claims, ScheduledEvent{Event: event.New(fmt.Sprint("f-", i), "s", ""), At: time.Now()})
	}
	require.NoError(t, q.Schedule(Context(t), claims))
	s, err := q.js.Stream(Context(t), "PRUNED_LATER")
	require.NoError(t, err)
	require.EqualValues(t, 3000, s.CachedInfo().State.Msgs)
}

func TestFireAt(t *testing.T) {
	t.Parallel()
	q := &Queue{soonest: time.Minute, opts: StreamOptions{Retention: 48 * time.Hour}}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct{ at, want time.Time }{
		{now, now.Add(time.Minute)},
		{now.Add(-time.Hour), now.Add(time.Minute)},
		{now.Add(time.Hour), now.Add(time.Hour)},
		{now.Add(time.Hour + time.Nanosecond), now.Add(time.Hour + time.Second)},
		{now.Add(100 * time.Hour), now.Add(24 * time.Hour)},
	} {
		require.Equal(t, c.want, q.fireAt(now, c.at))
	}
}

func TestServerWithoutSchedules(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	q.schedules = false
	require.ErrorIs(t, q.Schedule(Context(t), []ScheduledEvent{{Event: event.New("f", "s", "")}}), ErrNoSchedules)

	Publish(t, q, EventsOf(event.New("young-1", "s", "")))
	sum := Drain(t, q, &fake{handle: byPrefix}, Options{})
	require.Equal(t, 1, sum.Young)
	require.Zero(t, QueueBacklog(t, q))
}

func TestDeletedStreamOfSchedulesIsMadeAgain(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	q.soonest = 0
	require.NoError(t, q.js.DeleteStream(Context(t), "PRUNED_LATER"))
	require.NoError(t, q.Schedule(Context(t), []ScheduledEvent{{Event: event.New("f", "s", "")}}))
	AwaitEvents(t, q, 1)
}

func TestScheduleThatFiresIntoAFullStreamWaits(t *testing.T) {
	t.Parallel()
	opts := StreamOptionsOf(t)
	opts.MaxBytes = 64 << 10
	q := OpenQueueOn(t, Dial(t, StartServer(t, t.TempDir(), 0).ClientURL()), opts)
	q.soonest = 0
	_, err := q.Publish(Context(t), someEvents(2000), nil)
	require.ErrorIs(t, err, ErrFull)
	stored := QueueBacklog(t, q).Pending
	require.NoError(t, q.Schedule(Context(t), []ScheduledEvent{{Event: event.New("later", "s", "")}}))
	later, err := q.js.Stream(Context(t), "PRUNED_LATER")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := later.GetLastMsgForSubject(Context(t), q.names.dueSubject())
		return err == nil
	}, Patience, 20*time.Millisecond)
	require.Equal(t, stored, QueueBacklog(t, q).Pending)

	require.EqualValues(t, stored, Drain(t, q, &fake{}, Options{}).Events)
	_, err = q.purgeAcked(Context(t))
	require.NoError(t, err)
	AwaitEvents(t, q, 1)
}

func TestScheduleOutlivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := StartServer(t, dir, 0)
	q := OpenQueueOn(t, Dial(t, s.ClientURL()), StreamOptionsOf(t))
	q.soonest = 0
	require.NoError(t, q.Schedule(Context(t), []ScheduledEvent{{Event: event.New("f", "s", ""), At: time.Now().Add(2 * time.Second)}}))
	q.nc.Close()
	s.Shutdown()
	s.WaitForShutdown()

	again := OpenQueueOn(t, Dial(t, StartServer(t, dir, 0).ClientURL()), StreamOptionsOf(t))
	AwaitEvents(t, again, 1)
}
