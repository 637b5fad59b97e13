package consumer

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithoutConsumerEverythingIsUnread(t *testing.T) {
	t.Parallel()
	opts := StreamOptionsOf(t)
	opts.MaxBytes = 64 << 10
	q := OpenQueueOn(t, Dial(t, StartServer(t, t.TempDir(), 0).ClientURL()), opts)
	_, err := q.Publish(Context(t), someEvents(2000), nil)
	require.ErrorIs(t, err, ErrFull)
	purged, err := q.purgeAcked(Context(t))
	require.NoError(t, err)
	require.Zero(t, purged)
}

func TestHistoryGivesWayToNewClaims(t *testing.T) {
	t.Parallel()
	opts := StreamOptionsOf(t)
	opts.MaxBytes = 64 << 10
	q := OpenQueueOn(t, Dial(t, StartServer(t, t.TempDir(), 0).ClientURL()), opts)
	c := Quick(t, q, &fake{}, Options{})
	require.NoError(t, c.startConsumer(Context(t)))
	got, err := q.Publish(Context(t), someEvents(2000), nil)
	require.ErrorIs(t, err, ErrFull)
	purged, err := q.purgeAcked(Context(t))
	require.NoError(t, err)
	require.Zero(t, purged)

	// A consumer looks when it starts; that is too early, all is still unread.
	require.Equal(t, got, Drain(t, q, &fake{}, Options{}).Deleted)
	purged, err = q.purgeAcked(Context(t))
	require.NoError(t, err)
	require.InDelta(t, got/2, purged, 1)
	Publish(t, q, someEvents(10))
	require.Equal(t, 10, Drain(t, q, &fake{}, Options{}).Deleted)
}
