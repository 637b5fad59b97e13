package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// startNATS starts a server of the test's own, for one user.
func startNATS(t *testing.T) *server.Server {
	t.Helper()
	return startNATSWith(t, &server.Options{Username: "pruned", Password: "s3cret"})
}

// startNATSWith starts one for whom its options say.
func startNATSWith(t *testing.T, o *server.Options) *server.Server {
	t.Helper()
	o.ServerName, o.Host, o.Port, o.NoSigs, o.NoLog = "test", "127.0.0.1", testenv.FreePort(t), true, true
	o.JetStream, o.StoreDir, o.JetStreamMaxMemory, o.JetStreamMaxStore = true, t.TempDir(), 64<<20, 1<<40
	s, err := server.NewServer(o)
	require.NoError(t, err)
	s.Start()
	require.True(t, s.ReadyForConnections(signalTimeout))
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s
}

func natsURL(s *server.Server, password string) string {
	return fmt.Sprintf("NATS_URL=nats://pruned:%s@%s", password, s.Addr())
}

func TestQueueOfOthers(t *testing.T) {
	t.Parallel()
	nats := startNATS(t)
	i := install(t, testenv.Vectors(small)).with(natsURL(nats, "s3cret"))
	file := testenv.NewFile(t, i.Pool)
	i.publish(t, file)
	require.Equal(t, 1, i.drain(t).Deleted)
	require.NoDirExists(t, i.dir+"/pruned", "no queue of its own")

	status, _, errs := i.with(natsURL(nats, "wr0ng")).pruned(t, "", "run", "--drain")
	require.Equal(t, exitFailed, status)
	require.Contains(t, strings.ToLower(errs), "authorization")
	require.NotContains(t, errs, "wr0ng")

	// Another installation does not eat from the same stream.
	other := install(t, testenv.Vectors(small)).with(natsURL(nats, "s3cret"))
	status, _, errs = other.pruned(t, "", "run", "--drain")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "belongs to another installation")
	require.Contains(t, errs, "PRUNED_STREAM")
	status, _, errs = other.with("PRUNED_STREAM=pruned").pruned(t, "", "run", "--drain")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "has its subjects already")
	require.Contains(t, errs, "PRUNED_STREAM")
	other.with("PRUNED_STREAM=OTHER").must(t, "run", "--drain")
}

// Replicas share a queue and a database, and delete every file once.
func TestReplicas(t *testing.T) {
	t.Parallel()
	nats := startNATS(t)
	i := install(t).with(natsURL(nats, "s3cret"), "PRUNED_BATCH=50", "PRUNED_LOG_LEVEL=debug")
	const n = 2000
	seeded := i.seed(t, n+100, n)
	one, other := i.start(t), i.start(t)
	i.publish(t, append(append([]string{}, seeded.InUse...), seeded.Orphans...)...)
	require.Eventually(t, func() bool { return testenv.Value[int](t, i.Database, `SELECT count(*) FROM file`) == 100 }, signalTimeout, 20*pollEvery)
	require.Zero(t, one.stop(t))
	require.Zero(t, other.stop(t))
	require.Zero(t, i.drain(t).Deleted)
	require.Equal(t, nothing, i.left(t, seeded.Orphans...))
	for _, d := range []*daemon{one, other} {
		require.Contains(t, d.errs.String(), `"deleted":`, "each replica had its part")
		require.NotContains(t, d.errs.String(), `"level":"error"`)
	}
	require.Equal(t, n, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.ledger`))
	require.Equal(t, n, testenv.Value[int](t, i.Database, `SELECT count(DISTINCT file_id) FROM pruned.ledger WHERE outcome = 'deleted'`))
	require.Equal(t, 100, i.left(t, seeded.InUse...).rows)
	require.Equal(t, 100, i.left(t, seeded.InUse...).bytes)
	require.Empty(t, ask[[]letter](t, i, "dead", "list"))
}
