package refindex

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A number that was ours before a crash may be somebody else's after it.
func TestOwnNumbersAreOfOneServer(t *testing.T) {
	t.Parallel()
	q := &quiet{}
	q.add(5, "before")
	q.add(6, "before")
	q.found(&answerHeader{Index: "index", Snapshot: "5:9:5,6", Server: "before"}, false)
	snapshot, own, server := q.since("index")
	require.Equal(t, []any{"5:9:5,6", []string{"5", "6"}, "before"}, []any{snapshot, own, server})
	other, _, _ := q.since("another index")
	require.Empty(t, other)
	require.Equal(t, []string{"5", "6"}, q.ours("5:9:5,6", "before"))
	require.Equal(t, []string{"6"}, q.ours("6:9:6", "before"))
	require.Empty(t, q.ours("5:9:5,6", "after"))
	q.found(&answerHeader{Index: "index", Snapshot: "6:9:6", Server: "after"}, false)
	_, own, _ = q.since("index")
	require.Empty(t, own)
	q.add(7, "after")
	_, own, _ = q.since("index")
	require.Equal(t, []string{"7"}, own)
}
