package consumer

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestScheduleFiresAsAClaim(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	q.soonest = 0
	odd := strings.Repeat("odd id.*> ", 100)
	first, second := NewEvent("f", "publish", "why"), NewEvent(odd, "publish", "why")
	require.NoError(t, q.Later(testContext(t), []Scheduled{
		{Event: first, At: time.Now()},
		{Event: second, At: time.Now()},
	}))
	got := make(chan Delivery, 2)
	running(t, quick(t, q, &fake{handle: func(_ context.Context, events []Delivery) ([]Result, error) {
		for _, e := range events {
			got <- e
		}
		return all(events, Deleted), nil
	}}, Options{}))
	fired := map[string]Event{}
	for range 2 {
		d := await(t, got)
		fired[d.Subject] = d.Event
	}
	require.Equal(t, map[string]Event{"f": first, odd: second}, fired)
}

func TestNewScheduleReplacesTheOld(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	for i := range 3 {
		require.NoError(t, q.Later(testContext(t), []Scheduled{
			{Event: NewEvent("f", "s", ""), At: time.Now().Add(time.Duration(i) * time.Hour)},
			{Event: NewEvent("g", "s", ""), At: time.Now()},
		}))
	}
	s, err := q.js.Stream(testContext(t), "PRUNED_LATER")
	require.NoError(t, err)
	require.EqualValues(t, 2, s.CachedInfo().State.Msgs)
}

func TestManySchedules(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	var claims []Scheduled
	for i := range 3000 {
		claims = append(claims, Scheduled{Event: NewEvent(fmt.Sprint("f-", i), "s", ""), At: time.Now()})
	}
	require.NoError(t, q.Later(testContext(t), claims))
	s, err := q.js.Stream(testContext(t), "PRUNED_LATER")
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
	q := openQueue(t)
	q.schedules = false
	require.ErrorIs(t, q.Later(testContext(t), []Scheduled{{Event: NewEvent("f", "s", "")}}), ErrNoSchedules)

	publish(t, q, claimsOf(NewEvent("young-1", "s", "")))
	sum := drain(t, q, &fake{handle: byPrefix}, Options{})
	require.Equal(t, 1, sum.Young)
	require.Zero(t, backlog(t, q))
}

func TestDeletedStreamOfSchedulesIsMadeAgain(t *testing.T) {
	t.Parallel()
	q := openQueue(t)
	q.soonest = 0
	require.NoError(t, q.js.DeleteStream(testContext(t), "PRUNED_LATER"))
	require.NoError(t, q.Later(testContext(t), []Scheduled{{Event: NewEvent("f", "s", "")}}))
	awaitClaims(t, q, 1)
}

func TestScheduleThatFiresIntoAFullStreamWaits(t *testing.T) {
	t.Parallel()
	opts := testStream(t)
	opts.MaxBytes = 64 << 10
	q := openOn(t, dial(t, startServer(t, t.TempDir(), 0).ClientURL()), opts)
	q.soonest = 0
	_, err := q.Publish(testContext(t), someClaims(2000), PublishOptions{})
	require.ErrorIs(t, err, ErrFull)
	stored := backlog(t, q).Pending
	require.NoError(t, q.Later(testContext(t), []Scheduled{{Event: NewEvent("later", "s", "")}}))
	later, err := q.js.Stream(testContext(t), "PRUNED_LATER")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := later.GetLastMsgForSubject(testContext(t), q.names.due())
		return err == nil
	}, patience, 20*time.Millisecond)
	require.Equal(t, stored, backlog(t, q).Pending)

	require.EqualValues(t, stored, drain(t, q, &fake{}, Options{}).Events)
	_, err = q.makeRoom(testContext(t))
	require.NoError(t, err)
	awaitClaims(t, q, 1)
}

func TestScheduleOutlivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, dir, 0)
	q := openOn(t, dial(t, s.ClientURL()), testStream(t))
	q.soonest = 0
	require.NoError(t, q.Later(testContext(t), []Scheduled{{Event: NewEvent("f", "s", ""), At: time.Now().Add(2 * time.Second)}}))
	q.nc.Close()
	s.Shutdown()
	s.WaitForShutdown()

	again := openOn(t, dial(t, startServer(t, dir, 0).ClientURL()), testStream(t))
	awaitClaims(t, again, 1)
}

func awaitClaims(t *testing.T, q *Queue, n uint64) {
	t.Helper()
	require.Eventually(t, func() bool { return backlog(t, q).Pending == n }, patience, 20*time.Millisecond)
}
