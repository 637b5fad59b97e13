package sqlite_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/sqlite"
)

// Each transaction that deletes notes ten of the files that stay, of however many: it goes to
// the first ones by an index, and sorts nothing.
func TestSurvivorsAreNotedByAnIndex(t *testing.T) {
	t.Parallel()
	rows, err := newMigrated(t, "wal").DB.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+sqlite.NoteSurvivorsSQL, "[]", "", 0)
	require.NoError(t, err)
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		plan = append(plan, detail)
	}
	require.NoError(t, rows.Err())
	steps := strings.Join(plan, "\n")
	require.Contains(t, steps, "SCAN f USING COVERING INDEX")
	require.NotContains(t, steps, "TEMP B-TREE")
}
