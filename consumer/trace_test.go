package consumer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/repo/trace"
)

// Events, dead letters and what comes later are searched, also for ids that subjects
// cannot hold as they are; and nothing of it is consumed.
func TestTrace(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"0b5e9c1e-7f4b-4d0a-9a54-3c2f6d8e1a7b", `böse "id" 7`} {
		q := OpenQueue(t)
		e := event.New(id, "publish", "why")
		_, err := q.Publish(Context(t), func(yield func(event.Event, error) bool) { yield(e, nil) }, nil)
		require.NoError(t, err)
		require.NoError(t, q.Schedule(Context(t), []ScheduledEvent{{Event: e, At: time.Now().Add(time.Hour)}}))
		letter := poisonLetter(7)
		letter.FileID, letter.Payload = id, e.Encode()
		require.NoError(t, q.StoreDeadLetter(Context(t), letter))
		before, err := q.Streams(Context(t))
		require.NoError(t, err)

		text, err := trace.NewText(id)
		require.NoError(t, err)
		var found []string
		s := &trace.Search{Text: text, Progress: func(string, int64, int64) {}, Each: func(p trace.Place) error {
			found = append(found, fmt.Sprint(strings.TrimPrefix(p.Table, q.Name()), " ", p.Column))
			return nil
		}}
		require.NoError(t, q.Trace(Context(t), s))
		require.ElementsMatch(t, []string{" payload", "_LATER subject", "_LATER payload", "_DEAD header", "_DEAD payload"}, found, id)
		require.Len(t, s.Searched, 5)
		after, err := q.Streams(Context(t))
		require.NoError(t, err)
		require.Equal(t, before, after)
		left, err := q.Backlog(Context(t))
		require.NoError(t, err)
		require.EqualValues(t, 1, left.Pending)
	}
}
