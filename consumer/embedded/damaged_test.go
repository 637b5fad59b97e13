package embedded

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

// What a power cut leaves of a consumer's state keeps nobody from making it again.
func TestDamagedConsumerIsMadeAnew(t *testing.T) {
	t.Parallel()
	consume := func(t *testing.T, dir string) (got string) {
		s := open(t, dir, "")
		nc, err := s.Conn(t.Context())
		require.NoError(t, err)
		defer nc.Close()
		require.NoError(t, store(t.Context(), nc, "kept"))
		js, err := jetstream.New(nc)
		require.NoError(t, err)
		c, err := js.CreateOrUpdateConsumer(t.Context(), "S", jetstream.ConsumerConfig{Durable: "reader", AckPolicy: jetstream.AckExplicitPolicy})
		require.NoError(t, err)
		msg, err := c.Next()
		require.NoError(t, err)
		require.NoError(t, msg.DoubleAck(t.Context()))
		nc.Close()
		require.NoError(t, s.Close())
		return string(msg.Data())
	}
	for name, damage := range map[string]func([]byte) []byte{
		"zeroed": func(b []byte) []byte { return make([]byte, len(b)) },
		"cut":    func(b []byte) []byte { return b[:len(b)/2] },
		"empty":  func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.Equal(t, "kept", consume(t, dir))
			state := filepath.Join(dir, "jetstream", "$G", "streams", "S", "obs", "reader", "o.dat")
			content, err := os.ReadFile(state)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(state, damage(content), 0o600))
			require.Equal(t, "kept", consume(t, dir))
		})
	}
}

func TestReplacedDirectoryIsNotPresent(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "queue")
	s := open(t, dir, "")
	require.NoError(t, s.Present())
	require.NoError(t, Space(dir))
	require.NoError(t, os.Rename(dir, dir+".away"))
	require.ErrorIs(t, s.Present(), os.ErrNotExist)
	require.Error(t, Space(dir))
	require.NoError(t, os.Mkdir(dir, 0o700))
	other := open(t, dir, "")
	require.ErrorIs(t, s.Present(), errReplaced)
	require.NoError(t, other.Present())
}
