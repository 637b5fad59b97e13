package consumer

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
)

func oldest(t *testing.T, q *Queue) (time.Duration, bool) {
	t.Helper()
	age, there, err := q.OldestEvent(Context(t))
	require.NoError(t, err)
	return age, there
}

// What is settled lies in the stream still, and is not waited for any more.
func TestOldestEventIsNotSettled(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	_, there := oldest(t, q)
	require.False(t, there)

	before := time.Now()
	Publish(t, q, someEvents(3))
	age, there := oldest(t, q)
	require.True(t, there, "also before anybody consumed")
	require.InDelta(t, time.Since(before), age, float64(time.Since(before)))

	Drain(t, q, &fake{}, Options{})
	_, there = oldest(t, q)
	require.False(t, there)
	require.Len(t, EventsIn(t, q), 3)

	between := time.Now()
	Publish(t, q, someEvents(1))
	age, there = oldest(t, q)
	require.True(t, there)
	require.LessOrEqual(t, age, time.Since(between), "none of those that were settled")
}

// A probe stores a message in every stream, which is no dead letter.
func TestDeadLettersAreCounted(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	count := func() uint64 {
		n, err := q.CountDeadLetters(Context(t))
		require.NoError(t, err)
		return n
	}
	require.Zero(t, count())
	_, err := q.js.PublishMsg(Context(t), nats.NewMsg(q.names.probeSubject("PRUNED_DEAD")+"1"))
	require.NoError(t, err)
	require.Zero(t, count())
	require.NoError(t, q.StoreDeadLetter(Context(t), poisonLetter(1)))
	require.NoError(t, q.StoreDeadLetter(Context(t), poisonLetter(2)))
	require.EqualValues(t, 2, count())
	require.NoError(t, q.js.DeleteStream(Context(t), "PRUNED_DEAD"))
	require.Zero(t, count())
}

// Whoever counts is told of each batch what the summary adds up.
func TestSettledBatchesAddUp(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, someEvents(10))
	told := make(chan BatchReport, 10)
	total := Drain(t, q, &fake{}, Options{Settled: func(r BatchReport) { told <- r }})
	close(told)
	var sum Summary
	counted := map[Counted]int{}
	for r := range told {
		sum.merge(r.Summary)
		for which, n := range r.Outcomes {
			counted[which] += n
		}
		require.Zero(t, r.Redelivered)
	}
	require.Equal(t, map[Counted]int{{event.FileOrphaned, event.Deleted}: 10}, counted)
	require.Equal(t, 10, sum.Events)
	require.Equal(t, total.CountOf(event.Deleted), sum.CountOf(event.Deleted))
	require.Equal(t, total.Batches, sum.Batches)
}
