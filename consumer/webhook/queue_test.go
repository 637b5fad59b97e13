package webhook

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/repo/testenv"
)

// patient is how long a test waits for what must come.
const patient = time.Minute

// natsServer is a queue's server that can restart on its files and its port.
type natsServer struct {
	dir    string
	port   int
	server *server.Server
}

func startServer(t *testing.T) *natsServer {
	t.Helper()
	s := &natsServer{dir: t.TempDir(), port: testenv.FreePort(t)}
	require.NoError(t, s.start())
	t.Cleanup(s.stop)
	return s
}

func (s *natsServer) start() (err error) {
	s.server, err = server.NewServer(&server.Options{
		ServerName: "test", Host: "127.0.0.1", Port: s.port, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: s.dir, JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 1 << 40,
	})
	if err != nil {
		return err
	}
	s.server.Start()
	if !s.server.ReadyForConnections(patient) {
		return fmt.Errorf("the server on port %d is not ready", s.port)
	}
	return nil
}

func (s *natsServer) stop() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

// open returns the queue of a server, and a way to look into it.
func (s *natsServer) open(t *testing.T, maxBytes int64) (*consumer.Queue, jetstream.JetStream) {
	t.Helper()
	nc, err := consumer.Connect(t.Context(), consumer.ConnectOptions{URL: s.server.ClientURL(), Name: t.Name(), Log: zerolog.Nop()})
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	q, err := consumer.Open(t.Context(), nc, consumer.StreamOptions{
		Name: "PRUNED", Installation: "here", Retention: time.Hour, MaxBytes: maxBytes, Log: zerolog.Nop(),
	})
	require.NoError(t, err)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return q, js
}

// message is what a stream holds.
type message struct {
	subject string
	data    []byte
}

// stored is what the streams hold, by the Nats-Msg-Id.
func stored(t *testing.T, js jetstream.JetStream) map[string][]message {
	t.Helper()
	held := map[string][]message{}
	for _, name := range []string{"PRUNED", "PRUNED_HINTS"} {
		readStream(t, js, name, held)
	}
	return held
}

func readStream(t *testing.T, js jetstream.JetStream, name string, held map[string][]message) {
	t.Helper()
	stream, err := js.Stream(t.Context(), name)
	require.NoError(t, err)
	reader, err := stream.OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{})
	require.NoError(t, err)
	for left := int(stream.CachedInfo().State.Msgs); left > 0; {
		msgs, err := reader.Fetch(min(left, 1000), jetstream.FetchMaxWait(patient))
		require.NoError(t, err)
		for msg := range msgs.Messages() {
			id := msg.Headers().Get(nats.MsgIdHdr)
			held[id] = append(held[id], message{msg.Subject(), msg.Data()})
			left--
		}
		require.NoError(t, msgs.Error())
	}
}

func TestEventsInTheStream(t *testing.T) {
	t.Parallel()
	q, js := startServer(t).open(t, 64<<20)
	h, _ := newHandler(t, q)
	for range 2 {
		require.Equal(t, 202, answer(h, post("/webhook/"+token, `{"id":"1","event":"quantum"}`)).Code)
		require.Equal(t, 202, answer(h, post("/webhook/"+token, deleted(t, "2", "f"))).Code)
	}
	held := stored(t, js)
	require.Len(t, held, 2, "of one id there is one")
	require.Equal(t, []message{{"pruned.hint.quantum", []byte(`{"id":"1","event":"quantum"}`)}}, held["1"])
	require.Equal(t, "pruned.orphan.openwebui", held["2"][0].subject)
	claim, err := event.Parse(held["2"][0].data)
	require.NoError(t, err)
	require.Equal(t, "f", claim.Subject)
}

// A full queue drops no event to take more; hints of any size still fit into it.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	q, js := startServer(t).open(t, 64<<10)
	h, _ := newHandler(t, q)
	large := make([]byte, maxBody)
	for i := range large {
		large[i] = ' '
	}
	copy(large, `{"id":"large","event":"x"}`)
	require.Equal(t, 202, answer(h, post("/webhook/"+token, string(large))).Code)

	accepted := 1
	file := strings.Repeat("f", maxText)
	for {
		w := answer(h, post("/webhook/"+token, deleted(t, fmt.Sprint(accepted), file)))
		if w.Code != 202 {
			require.Equal(t, 503, w.Code)
			require.NotEmpty(t, w.Header().Get("Retry-After"))
			break
		}
		accepted++
	}
	require.Greater(t, accepted, 2)
	require.Len(t, stored(t, js), accepted)
	require.Equal(t, 202, answer(h, post("/webhook/"+token, `{"id":"hint","event":"x"}`)).Code)
}
