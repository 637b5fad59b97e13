package consumer

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/repo/trace"
)

func openTelling(t *testing.T) *Queue {
	t.Helper()
	opts := StreamOptionsOf(t)
	opts.Deleted = true
	return OpenQueueOn(t, Dial(t, StartServer(t, t.TempDir(), 0).ClientURL()), opts)
}

// toldIn lists what a queue has told, as subject, type and what it is about.
func toldIn(t *testing.T, q *Queue) (told []string, ids []string) {
	t.Helper()
	for msg, err := range q.readStream(Context(t), "PRUNED_DELETED", jetstream.ConsumerConfig{}) {
		require.NoError(t, err)
		var e struct{ ID, Source, Type, Subject, Specversion string }
		require.NoError(t, json.Unmarshal(msg.Data(), &e))
		require.Equal(t, "pruned", e.Source)
		require.Equal(t, "1.0", e.Specversion)
		told, ids = append(told, msg.Subject()+" "+e.Type+" "+e.Subject), append(ids, e.ID)
	}
	return told, ids
}

// outcomesBy has each event come to what its subject says.
func outcomesBy(_ context.Context, events []event.Delivery) ([]event.Result, error) {
	results := make([]event.Result, len(events))
	for i, e := range events {
		results[i].Outcome = event.Deleted
		if e.Subject == "used" {
			results[i].Outcome = event.Kept
		}
	}
	return results, nil
}

// What was deleted is told once, by its kind; what was kept is not.
func TestDeletedIsTold(t *testing.T) {
	t.Parallel()
	q := openTelling(t)
	file := event.New("f", "test", "")
	Publish(t, q, EventsOf(file, event.New("f", "test", ""), event.New("used", "test", ""),
		event.NewOf(event.CollectionOrphaned, "web-search-1", "test", ""), event.NewOf(event.PointsOrphaned, "knowledge-bases/k", "test", "")))
	Drain(t, q, &fake{handle: outcomesBy}, Options{})
	told, ids := toldIn(t, q)
	require.ElementsMatch(t, []string{"pruned.event.file pruned.file.deleted f", "pruned.event.collection pruned.collection.deleted web-search-1",
		"pruned.event.points pruned.points.deleted knowledge-bases/k"}, told)
	require.Contains(t, ids, file.MsgID())
}

// An event that comes again may have deleted before; who knows that is asked.
func TestDeletedIsToldWhenItsEventComesAgain(t *testing.T) {
	t.Parallel()
	q := openTelling(t)
	Publish(t, q, EventsOf(event.New("deleted", "test", ""), event.New("never", "test", "")))
	first := New(q, nil, Options{})
	require.NoError(t, first.startConsumer(Context(t)))
	msgs, err := fetchMessages(first.source, 2)
	require.NoError(t, err)
	first.nakAll(msgs) // as a process that was killed after its commit
	gone := func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		return all(events, event.Gone), nil
	}
	Drain(t, q, &fake{handle: gone}, Options{WasDeleted: func(_ context.Context, e event.Event) (bool, error) { return e.Subject == "deleted", nil }})
	told, _ := toldIn(t, q)
	require.Equal(t, []string{"pruned.event.file pruned.file.deleted deleted"}, told)
}

// What cannot be told is not acked: its event comes again until it can.
func TestDeletedIsToldUntilItIsStored(t *testing.T) {
	t.Parallel()
	q := openTelling(t)
	limitSize := func(size int32) {
		stream, err := q.js.Stream(Context(t), "PRUNED_DELETED")
		require.NoError(t, err)
		cfg := stream.CachedInfo().Config
		cfg.MaxMsgSize = size
		_, err = q.js.UpdateStream(Context(t), cfg)
		require.NoError(t, err)
	}
	limitSize(1)
	Publish(t, q, EventsOf(event.New("f", "test", "")))
	deleted := map[string]bool{}
	h := &fake{handle: func(ctx context.Context, events []event.Delivery) ([]event.Result, error) {
		if deleted[events[0].ID] {
			limitSize(-1)
			return all(events, event.Gone), nil
		}
		deleted[events[0].ID] = true
		return outcomesBy(ctx, events)
	}}
	sum := Drain(t, q, h, Options{WasDeleted: func(_ context.Context, e event.Event) (bool, error) { return deleted[e.ID], nil }})
	require.Equal(t, 1, sum.Failed)
	require.Equal(t, 1, sum.Gone)
	told, _ := toldIn(t, q)
	require.Len(t, told, 1)
}

// Without the setting there is no such stream; one that is left is searched, and removed
// with the others.
func TestDeletedIsNotToldUnlessItIsWanted(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	Publish(t, q, EventsOf(event.New("f", "test", "")))
	Drain(t, q, &fake{}, Options{})
	_, err := q.js.Stream(Context(t), "PRUNED_DELETED")
	require.ErrorIs(t, err, jetstream.ErrStreamNotFound)

	q.opts.Deleted = true
	require.NoError(t, q.ensureStreams(Context(t)))
	require.NoError(t, q.publishDeletedEvents(Context(t), []event.Event{event.New("0b5e9c1e-7f4b-4d0a-9a54-3c2f6d8e1a7b", "test", "")}))
	q.opts.Deleted = false
	text, err := trace.NewText("0b5e9c1e-7f4b-4d0a-9a54-3c2f6d8e1a7b")
	require.NoError(t, err)
	var found []string
	s := &trace.Search{Text: text, Progress: func(string, int64, int64) {}, Each: func(p trace.Place) error {
		found = append(found, fmt.Sprint(p.Table, " ", p.Column))
		return nil
	}}
	require.NoError(t, q.Trace(Context(t), s))
	require.Equal(t, []string{"PRUNED_DELETED payload"}, found)
	require.NoError(t, q.Remove(Context(t)))
	_, err = q.js.Stream(Context(t), "PRUNED_DELETED")
	require.ErrorIs(t, err, jetstream.ErrStreamNotFound)
}
