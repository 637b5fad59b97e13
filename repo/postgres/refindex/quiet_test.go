package refindex

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A number that was ours before a crash may be somebody else's after it.
func TestOwnNumbersAreOfOneServer(t *testing.T) {
	t.Parallel()
	p, q := &Plan{}, &quiet{}
	q.add(5, "before")
	q.add(6, "before")
	q.found(p, &answerHeader{Snapshot: "5:9:5,6", Server: "before"}, false)
	snapshot, own, server := q.since(p)
	require.Equal(t, []any{"5:9:5,6", []string{"5", "6"}, "before"}, []any{snapshot, own, server})
	require.Equal(t, []string{"5", "6"}, q.ours("5:9:5,6", "before"))
	require.Equal(t, []string{"6"}, q.ours("6:9:6", "before"))
	require.Empty(t, q.ours("5:9:5,6", "after"))
	q.found(p, &answerHeader{Snapshot: "6:9:6", Server: "after"}, false)
	_, own, _ = q.since(p)
	require.Empty(t, own)
	q.add(7, "after")
	_, own, _ = q.since(p)
	require.Equal(t, []string{"7"}, own)
}
