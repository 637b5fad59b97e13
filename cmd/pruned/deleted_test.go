package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// What was deleted is told on a stream, and told again by the ledger where its event comes
// again: on both engines.
func TestDeletedEvents(t *testing.T) {
	t.Parallel()
	folder, _ := scratch(t)
	server := install(t, testenv.Vectors(small))
	server.seed(t, 4, 2)
	for name, i := range map[string]*installation{"sqlite": folder, "postgres": server} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			queue := startNATS(t)
			i := i.with(natsURL(queue, "s3cret"), "PRUNED_DELETED_EVENTS=true", "PRUNED_MAX_FRACTION=1", "PRUNED_MIN_AGE=0")
			i.pruned(t, "", "sweep")
			require.Positive(t, i.drain(t).Deleted)
			nc, err := nats.Connect("nats://pruned:s3cret@" + queue.Addr().String())
			require.NoError(t, err)
			defer nc.Close()
			js, err := jetstream.New(nc)
			require.NoError(t, err)
			stream, err := js.Stream(t.Context(), "PRUNED_DELETED")
			require.NoError(t, err)
			first, err := stream.GetMsg(t.Context(), 1)
			require.NoError(t, err)
			require.Equal(t, "pruned.event.file", first.Subject)
			var told struct{ ID, Subject string }
			require.NoError(t, json.Unmarshal(first.Data, &told))

			// The same event once more, as after a kill between commit and ack.
			again := fmt.Sprint(orphanEventAbout(t, js, told.Subject))
			require.NoError(t, js.DeleteStream(t.Context(), "PRUNED_DELETED"))
			_, err = js.Publish(t.Context(), "pruned.orphan.sweep", []byte(again))
			require.NoError(t, err)
			consumer, err := js.Consumer(t.Context(), "PRUNED", "pruned")
			require.NoError(t, err)
			msg, err := consumer.Next(jetstream.FetchMaxWait(signalTimeout))
			require.NoError(t, err)
			require.NoError(t, msg.NakWithDelay(time.Millisecond))
			require.NoError(t, nc.Flush())
			require.Equal(t, 1, i.drain(t).Gone)
			stream, err = js.Stream(t.Context(), "PRUNED_DELETED")
			require.NoError(t, err)
			second, err := stream.GetMsg(t.Context(), 1)
			require.NoError(t, err)
			id := told.ID
			require.NoError(t, json.Unmarshal(second.Data, &told))
			require.Equal(t, id, told.ID)
			require.NotContains(t, string(second.Data), i.dir)
		})
	}
}

// orphanEventAbout is the payload of the event about a file.
func orphanEventAbout(t *testing.T, js jetstream.JetStream, file string) string {
	t.Helper()
	stream, err := js.Stream(t.Context(), "PRUNED")
	require.NoError(t, err)
	for seq := stream.CachedInfo().State.FirstSeq; seq <= stream.CachedInfo().State.LastSeq; seq++ {
		msg, err := stream.GetMsg(t.Context(), seq)
		require.NoError(t, err)
		var event struct{ Subject string }
		if json.Unmarshal(msg.Data, &event) == nil && event.Subject == file {
			return string(msg.Data)
		}
	}
	require.FailNow(t, "no event about "+file)
	return ""
}
