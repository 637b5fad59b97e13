package consumer

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
)

func letters(t *testing.T, q *Queue) []DeadLetter {
	t.Helper()
	var list []DeadLetter
	for d, err := range q.DeadLetters(Context(t)) {
		require.NoError(t, err)
		list = append(list, d)
	}
	return list
}

func poisonLetter(seq uint64) DeadLetter {
	e := event.New(fmt.Sprint("f-", seq), "publish", "why")
	return DeadLetter{
		Name: newDeadLetterName(seq, time.Unix(0, 36)), Seq: seq, FileID: e.Subject, Kind: string(event.Poison), Error: "no\nway \u00e9", SQLState: "23503",
		Deliveries: 2, At: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Payload: e.Encode(),
	}
}

func TestBuryIsIdempotent(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	d := poisonLetter(7)
	require.NoError(t, q.StoreDeadLetter(Context(t), d))
	again := d
	again.Error = "another"
	require.NoError(t, q.StoreDeadLetter(Context(t), again))

	got, err := q.DeadLetter(Context(t), "7")
	require.NoError(t, err)
	require.Equal(t, d, got)

	d.Payload = nil
	require.Equal(t, []DeadLetter{d}, letters(t, q))
}

func TestBuryMakesItsStreamAgain(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	require.NoError(t, q.js.DeleteStream(Context(t), "PRUNED_DEAD"))
	require.NoError(t, q.StoreDeadLetter(Context(t), poisonLetter(1)))
	require.Len(t, letters(t, q), 1)
}

func TestFullGraveyardIsAnError(t *testing.T) {
	t.Parallel()
	opts := StreamOptionsOf(t)
	opts.MaxBytes = 16 << 10 // a quarter of it for dead letters
	q := OpenQueueOn(t, Dial(t, StartServer(t, t.TempDir(), 0).ClientURL()), opts)
	d := poisonLetter(1)
	d.Payload = []byte(strings.Repeat("x", 5<<10))
	require.ErrorIs(t, q.StoreDeadLetter(Context(t), d), ErrFull)
}

func TestDeadLetterAsJSON(t *testing.T) {
	t.Parallel()
	out, err := json.Marshal(poisonLetter(7))
	require.NoError(t, err)
	require.JSONEq(t, `{"name":"7.10","seq":7,"file_id":"f-7","kind":"poison","error":"no\nway é","sqlstate":"23503",
		"deliveries":2,"at":"2026-01-02T03:04:05.000000006Z"}`, string(out))
}

func TestListIsStreamedInOrder(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	const n = readAtOnce + 50
	for seq := range uint64(n) {
		require.NoError(t, q.StoreDeadLetter(Context(t), poisonLetter(seq+1)))
	}
	list := letters(t, q)
	require.Len(t, list, n)
	for i, d := range list {
		require.EqualValues(t, i+1, d.Seq)
	}
	for d, err := range q.DeadLetters(Context(t)) {
		require.NoError(t, err)
		require.EqualValues(t, 1, d.Seq)
		break
	}
	s, err := q.js.Stream(Context(t), "PRUNED_DEAD")
	require.NoError(t, err)
	require.Zero(t, s.CachedInfo().State.Consumers, "a reader leaves nothing behind")
}

func TestRedrive(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	e := event.New("f", "publish", "why")
	Publish(t, q, EventsOf(e, event.New("g", "publish", "")))
	poison := &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		return all(events, event.Poison), nil
	}}
	Drain(t, q, poison, Options{})
	require.Len(t, letters(t, q), 2)

	n, err := q.Redrive(Context(t), "1", "99")
	require.ErrorIs(t, err, ErrNoDeadLetter)
	require.Equal(t, 1, n)
	require.Len(t, letters(t, q), 1)

	n, err = q.Redrive(Context(t))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Empty(t, letters(t, q))

	h := &fake{}
	require.Equal(t, 2, Drain(t, q, h, Options{}).Deleted)
	again := h.batches[0][0].Event
	require.NotEqual(t, e.ID, again.ID)
	require.Equal(t, []string{"f", "publish", "why"}, []string{again.Subject, again.Source, again.Reason})
}

func TestInvalidDeadLettersStay(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	require.NoError(t, q.StoreDeadLetter(Context(t), DeadLetter{Name: "1", Seq: 1, Kind: string(event.Invalid), Payload: []byte("hello")}))
	n, err := q.Redrive(Context(t))
	require.NoError(t, err)
	require.Zero(t, n)
	_, err = q.Redrive(Context(t), "1")
	require.ErrorContains(t, err, "never an event")
	require.Len(t, letters(t, q), 1)

	purged, err := q.PurgeDeadLetters(Context(t))
	require.NoError(t, err)
	require.EqualValues(t, 1, purged)
	require.Empty(t, letters(t, q))
}

// A stream that is made again begins at 1, while dead letters stay: each message
// has its own, and its payload is not lost.
func TestLetterOfAStreamMadeAgainIsItsOwn(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	poison := &fake{handle: func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		return all(events, event.Poison), nil
	}}
	for _, file := range []string{"first", "second"} {
		Publish(t, q, EventsOf(event.New(file, "publish", "")))
		require.Equal(t, 1, Drain(t, q, poison, Options{}).Poison)
		require.NoError(t, q.js.DeleteStream(Context(t), "PRUNED"))
		require.NoError(t, q.ensureStreams(Context(t)))
	}
	dead := letters(t, q)
	require.Len(t, dead, 2)
	for i, file := range []string{"first", "second"} {
		require.EqualValues(t, 1, dead[i].Seq)
		whole, err := q.DeadLetter(Context(t), dead[i].Name)
		require.NoError(t, err)
		require.Equal(t, file, whole.FileID)
		require.Contains(t, string(whole.Payload), file)
	}
	_, err := q.DeadLetter(Context(t), "1")
	require.ErrorContains(t, err, "several dead letters")
	require.ErrorContains(t, err, dead[1].Name)
	n, err := q.Redrive(Context(t), dead[1].Name)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	whole, err := q.DeadLetter(Context(t), "1")
	require.NoError(t, err)
	require.Equal(t, "first", whole.FileID)
}

// Letters of older releases are found by their number.
func TestLetterNamedByItsNumberAlone(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	old := poisonLetter(7)
	old.Name = "7"
	require.NoError(t, q.StoreDeadLetter(Context(t), old))
	require.NoError(t, q.StoreDeadLetter(Context(t), poisonLetter(70)))
	got, err := q.DeadLetter(Context(t), "7")
	require.NoError(t, err)
	require.Equal(t, old, got)
	n, err := q.Redrive(Context(t), "7")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	for _, none := range []string{"7", "7.1", "*", ">", "", "7.*", "-1"} {
		_, err = q.DeadLetter(Context(t), none)
		require.ErrorIs(t, err, ErrNoDeadLetter, none)
	}
}
