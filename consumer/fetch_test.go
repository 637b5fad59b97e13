package consumer

import (
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

// piecemeal is a queue that sends only so many messages for each request.
type piecemeal struct {
	jetstream.Consumer
	pieces []int
	asked  []int
}

func (p *piecemeal) Fetch(n int, _ ...jetstream.FetchOpt) (jetstream.MessageBatch, error) {
	p.asked = append(p.asked, n)
	sent := make(sentBatch, min(n, p.pieces[0]))
	for range cap(sent) {
		sent <- nil
	}
	close(sent)
	p.pieces = p.pieces[1:]
	return sent, nil
}

type sentBatch chan jetstream.Msg

func (b sentBatch) Messages() <-chan jetstream.Msg { return b }
func (b sentBatch) Error() error                   { return nil }

// A batch that a busy server sends in pieces is fetched whole; where little has come nothing
// more is waited for.
func TestBatchThatComesInPieces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pieces, asked []int
		want          int
	}{
		{[]int{100}, []int{100}, 100},
		{[]int{70, 20, 10}, []int{100, 30, 10}, 100},
		{[]int{70, 14}, []int{100, 30}, 84},
		{[]int{49}, []int{100}, 49},
		{[]int{0}, []int{100}, 0},
	} {
		source := &piecemeal{pieces: slices.Clone(c.pieces)}
		b, err := (&Consumer{source: source}).fetchBatch(time.Now(), 100)
		require.NoError(t, err)
		require.Len(t, b.msgs, c.want)
		require.Equal(t, c.asked, source.asked)
	}
}

// The rest of a batch is waited for as long as the handler says; in a drain, and where more
// waits already, only as long as a server takes to send it.
func TestDrainsDoNotLinger(t *testing.T) {
	t.Parallel()
	h := &fake{}
	require.Equal(t, h.Linger(), (&Consumer{h: h}).chooseLinger())
	require.Equal(t, linger, (&Consumer{h: h, o: Options{Drain: true}}).chooseLinger())
	require.Equal(t, linger, (&Consumer{h: h, behind: true}).chooseLinger())
}
