package consumer

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// startGuarded runs a server that asks who connects.
func startGuarded(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	o.Host, o.Port, o.NoSigs, o.NoLog = "127.0.0.1", testenv.FreePort(t), true, true
	s, err := server.NewServer(&o)
	require.NoError(t, err)
	s.Start()
	require.True(t, s.ReadyForConnections(Patience))
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s
}

func TestConnectByPassword(t *testing.T) {
	t.Parallel()
	s := startGuarded(t, server.Options{Username: "prune", Password: "hunter2"})
	address := s.Addr().String()
	nc, err := Connect(Context(t), ConnectOptions{URL: "nats://prune:hunter2@" + address, Name: "me"})
	require.NoError(t, err)
	require.Equal(t, "me", nc.Opts.Name)
	nc.Close()

	_, err = Connect(Context(t), ConnectOptions{URL: "nats://prune:letmein@" + address})
	require.ErrorContains(t, err, address)
	require.NotContains(t, err.Error(), "letmein")
}

func TestConnectByKey(t *testing.T) {
	t.Parallel()
	pair, err := nkeys.CreateUser()
	require.NoError(t, err)
	public, err := pair.PublicKey()
	require.NoError(t, err)
	seed, err := pair.Seed()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "seed")
	require.NoError(t, os.WriteFile(file, seed, 0o600))
	s := startGuarded(t, server.Options{Nkeys: []*server.NkeyUser{{Nkey: public}}})
	nc, err := Connect(Context(t), ConnectOptions{URL: s.Addr().String(), NKeyFile: file})
	require.NoError(t, err)
	nc.Close()
}

func TestConnectErrorsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		o    ConnectOptions
		says string
	}{
		"no URL":          {ConnectOptions{URL: "nats://me:hunter2@[broken"}, "NATS_URL"},
		"no host":         {ConnectOptions{URL: "nats://me:hunter2@"}, "NATS_URL"},
		"one is broken":   {ConnectOptions{URL: "nats://127.0.0.1:1,nats://me:hunter2@:x:y"}, "NATS_URL"},
		"nobody listens":  {ConnectOptions{URL: "nats://me:hunter2@127.0.0.1:1"}, "nats://127.0.0.1:1"},
		"no key file":     {ConnectOptions{URL: "nats://127.0.0.1:1", NKeyFile: "/missing"}, "NATS_NKEY"},
		"half a pair":     {ConnectOptions{URL: "nats://127.0.0.1:1", Cert: "/missing"}, "NATS_KEY"},
		"no credentials":  {ConnectOptions{URL: "nats://127.0.0.1:1", Creds: "/missing"}, "connecting to the queue"},
		"no certificates": {ConnectOptions{URL: "nats://127.0.0.1:1", CA: "/missing"}, "connecting to the queue"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Connect(Context(t), c.o)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestConnectMindsItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Connect(ctx, ConnectOptions{URL: "nats://127.0.0.1:1"})
	require.ErrorIs(t, err, context.Canceled)
}
