package consumer

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

func config(t *testing.T, q *Queue, stream string) jetstream.StreamConfig {
	t.Helper()
	s, err := q.js.Stream(Context(t), stream)
	require.NoError(t, err)
	return s.CachedInfo().Config
}

func TestOpenMakesTheStreams(t *testing.T) {
	t.Parallel()
	nc := Dial(t, StartServer(t, t.TempDir(), 0).ClientURL())
	opts := StreamOptionsOf(t)
	opts.Name = "Foo"
	q := OpenQueueOn(t, nc, opts)
	require.True(t, q.Schedules())

	claims := config(t, q, "Foo")
	require.Equal(t, []string{"foo.probe.foo.*", "foo.orphan.>"}, claims.Subjects)
	require.Equal(t, jetstream.DiscardNew, claims.Discard)
	require.Equal(t, jetstream.FileStorage, claims.Storage)
	require.Equal(t, time.Hour, claims.MaxAge)
	require.EqualValues(t, 64<<20, claims.MaxBytes)
	require.Equal(t, 1, claims.Replicas)
	require.Equal(t, []string{"foo.probe.foo_dead.*", "foo.dead.>"}, config(t, q, "Foo_DEAD").Subjects)
	require.True(t, config(t, q, "Foo_LATER").AllowMsgSchedules)
	require.Equal(t, "foo.hint.file_deleted", q.names.hintSubject("file_deleted"))
}

func TestOpenChangesWhatTheSettingsChange(t *testing.T) {
	t.Parallel()
	nc := Dial(t, StartServer(t, t.TempDir(), 0).ClientURL())
	opts := StreamOptionsOf(t)
	OpenQueueOn(t, nc, opts)
	opts.Retention, opts.MaxBytes = 2*time.Hour, 128<<20
	q := OpenQueueOn(t, nc, opts)
	for _, stream := range []string{"PRUNED", "PRUNED_DEAD", "PRUNED_LATER"} {
		require.Equal(t, 2*time.Hour, config(t, q, stream).MaxAge, stream)
	}
	require.EqualValues(t, 128<<20, config(t, q, "PRUNED").MaxBytes)
}

func TestOpenTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	nc := Dial(t, StartServer(t, t.TempDir(), 0).ClientURL())
	OpenQueueOn(t, nc, StreamOptionsOf(t))
	// What is asked of the server comes back to whoever asks, before an answer to
	// what is asked later. The server's own news of changes has no order.
	asked, err := nc.SubscribeSync("$JS.API.STREAM.>")
	require.NoError(t, err)
	OpenQueueOn(t, nc, StreamOptionsOf(t))
	require.NoError(t, nc.Flush())
	n, _, err := asked.Pending()
	require.NoError(t, err)
	require.NotZero(t, n)
	for range n {
		request, err := asked.NextMsg(Patience)
		require.NoError(t, err)
		require.Contains(t, request.Subject, ".INFO.", "nothing but a question")
	}
}

func TestForeignStreamIsRefused(t *testing.T) {
	t.Parallel()
	nc := Dial(t, StartServer(t, t.TempDir(), 0).ClientURL())
	OpenQueueOn(t, nc, StreamOptionsOf(t))
	opts := StreamOptionsOf(t)
	opts.Installation = "there"
	_, err := Open(Context(t), nc, opts)
	require.ErrorIs(t, err, ErrForeign)
	require.ErrorContains(t, err, "PRUNED_STREAM")
	require.ErrorContains(t, err, `"here"`)

	opts.Name = "THERE"
	OpenQueueOn(t, nc, opts)
}

// Subjects are made of the name in lower case.
func TestStreamsThatDifferOnlyInCaseAreRefused(t *testing.T) {
	t.Parallel()
	nc := Dial(t, StartServer(t, t.TempDir(), 0).ClientURL())
	OpenQueueOn(t, nc, StreamOptionsOf(t))
	opts := StreamOptionsOf(t)
	opts.Name = "pruned"
	_, err := Open(Context(t), nc, opts)
	require.ErrorIs(t, err, ErrForeign)
	require.ErrorContains(t, err, "has its subjects already")
	require.ErrorContains(t, err, "PRUNED_STREAM")
}

func TestStreamOfNobodyIsRefused(t *testing.T) {
	t.Parallel()
	nc := Dial(t, StartServer(t, t.TempDir(), 0).ClientURL())
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	_, err = js.CreateStream(Context(t), jetstream.StreamConfig{Name: "PRUNED", Subjects: []string{"theirs"}})
	require.NoError(t, err)
	_, err = Open(Context(t), nc, StreamOptionsOf(t))
	require.ErrorIs(t, err, ErrForeign)
}

func TestWhatCannotBeChangedIsSaid(t *testing.T) {
	t.Parallel()
	nc := Dial(t, StartServer(t, t.TempDir(), 0).ClientURL())
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	_, err = js.CreateStream(Context(t), jetstream.StreamConfig{
		Name: "PRUNED", Subjects: []string{"theirs"}, Storage: jetstream.MemoryStorage,
		Metadata: map[string]string{identityKey: "here"},
	})
	require.NoError(t, err)
	_, err = Open(Context(t), nc, StreamOptionsOf(t))
	require.ErrorContains(t, err, "changing stream PRUNED")
	require.ErrorContains(t, err, "delete it, or set PRUNED_STREAM")
}

func TestStreamNameIsChecked(t *testing.T) {
	t.Parallel()
	nc := Dial(t, StartServer(t, t.TempDir(), 0).ClientURL())
	for _, name := range []string{"", "a.b", "a b", "a>"} {
		opts := StreamOptionsOf(t)
		opts.Name = name
		_, err := Open(Context(t), nc, opts)
		require.ErrorContains(t, err, "PRUNED_STREAM", name)
	}
}

func TestBacklogWithoutConsumer(t *testing.T) {
	t.Parallel()
	q := OpenQueue(t)
	require.Zero(t, QueueBacklog(t, q))
	Publish(t, q, someEvents(3))
	require.NoError(t, q.nc.Publish(q.names.hintSubject("x"), nil))
	require.NoError(t, q.nc.Flush())
	require.Equal(t, Backlog{Pending: 3}, QueueBacklog(t, q))
}
