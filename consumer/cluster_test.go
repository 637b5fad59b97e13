package consumer

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"pruned/consumer/event"
	"pruned/repo/testenv"
)

// startCluster runs three servers that know each other.
func startCluster(t *testing.T) []*server.Server {
	t.Helper()
	var ports []int
	var routes []*url.URL
	for range 3 { // the servers must know each other's before they start
		port := testenv.FreePort(t)
		ports = append(ports, port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprint("127.0.0.1:", port)})
	}
	var nodes []*server.Server
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: testenv.FreePort(t), NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(), JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 1 << 40,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port},
			Routes:  routes,
		})
		require.NoError(t, err)
		s.Start()
		t.Cleanup(func() {
			s.Shutdown()
			s.WaitForShutdown()
		})
		nodes = append(nodes, s)
	}
	require.Eventually(t, func() bool { return formed(nodes) }, Patience, 10*time.Millisecond)
	return nodes
}

// formed holds when the servers have a leader that knows all of them.
func formed(nodes []*server.Server) bool {
	led := false
	for _, s := range nodes {
		if !s.JetStreamIsCurrent() {
			return false
		}
		led = led || s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) == len(nodes)
	}
	return led
}

func urls(nodes []*server.Server) string {
	var list []string
	for _, s := range nodes {
		list = append(list, s.ClientURL())
	}
	return strings.Join(list, ",")
}

func TestLeaderOfAClusterDies(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t)
	q := OpenQueueOn(t, Dial(t, urls(nodes)), StreamOptionsOf(t))
	require.Equal(t, 3, config(t, q, "PRUNED").Replicas)

	half := make(chan struct{})
	var once sync.Once
	h := &fake{size: 20}
	h.handle = func(_ context.Context, events []event.Delivery) ([]event.Result, error) {
		if h.files() > 300 {
			once.Do(func() { close(half) })
		}
		return all(events, event.Deleted), nil
	}
	Publish(t, q, someEvents(1000))
	stop := running(t, Quick(t, q, h, Options{Workers: 2, AckWait: 2 * time.Second}))
	Await(t, half)
	leader := leaderOf(t, q, nodes)
	leader.Shutdown()
	leader.WaitForShutdown()

	require.Eventually(t, func() bool {
		left, err := q.Backlog(Context(t))
		return err == nil && h.files() == 1000 && left == Backlog{}
	}, Patience, 50*time.Millisecond)
	Publish(t, q, EventsOf(event.New("after", "s", "")))
	require.Eventually(t, func() bool { return h.files() == 1001 }, Patience, 10*time.Millisecond)
	stop()
}

// Replicas that begin at once make the streams together, and what one asks of a stream that
// has no leader yet is never answered.
func TestReplicasBeginAtOnce(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t)
	var replicas errgroup.Group
	for range 5 {
		nc := Dial(t, urls(nodes))
		replicas.Go(func() error {
			q, err := Open(Context(t), nc, StreamOptionsOf(t))
			if err != nil {
				return err
			}
			f, err := q.Follow(Context(t))
			if err == nil {
				f.Close()
			}
			return err
		})
	}
	require.NoError(t, replicas.Wait())
}

func leaderOf(t *testing.T, q *Queue, nodes []*server.Server) *server.Server {
	t.Helper()
	s, err := q.js.Stream(Context(t), "PRUNED")
	require.NoError(t, err)
	name := s.CachedInfo().Cluster.Leader
	for _, node := range nodes {
		if node.Name() == name {
			return node
		}
	}
	require.FailNow(t, "the stream has no leader")
	return nil
}

func TestReplicasFollowTheCluster(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t)
	q := OpenQueueOn(t, Dial(t, urls(nodes)), StreamOptionsOf(t))
	for _, stream := range []string{"PRUNED", "PRUNED_DEAD", "PRUNED_LATER"} {
		require.Equal(t, 3, config(t, q, stream).Replicas, stream)
	}
	_, err := q.js.UpdateStream(Context(t), func() jetstream.StreamConfig {
		cfg := config(t, q, "PRUNED")
		cfg.Replicas = 1
		return cfg
	}())
	require.NoError(t, err)
	q = OpenQueueOn(t, q.nc, StreamOptionsOf(t))
	require.Equal(t, 1, config(t, q, "PRUNED").Replicas, "somebody's choice stays")
}
