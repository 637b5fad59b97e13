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
	require.Equal(t, baseline{snapshot: "5:9:5,6", own: []string{"5", "6"}, server: "before"}, q.since("index"))
	require.Empty(t, q.since("another index").snapshot)
	require.Equal(t, []string{"5", "6"}, q.ours("5:9:5,6", "before"))
	require.Equal(t, []string{"6"}, q.ours("6:9:6", "before"))
	require.Empty(t, q.ours("5:9:5,6", "after"))
	q.found(&answerHeader{Index: "index", Snapshot: "6:9:6", Server: "after"}, false)
	require.Empty(t, q.since("index").own)
	q.add(7, "after")
	require.Equal(t, []string{"7"}, q.since("index").own)
}
