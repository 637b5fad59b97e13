package testenv

import (
	"context"
	"database/sql"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// madeTable names a table that a statement makes for itself.
var madeTable = regexp.MustCompile(`(?i)(\w+)(?:\([^)]*\))? AS (?:MATERIALIZED )?\(`)

var namedParameter = regexp.MustCompile(`@\w+`)

// numberedParameters are more than any statement has.
const numberedParameters = 9

// RequireLinearPlan refuses a statement for which SQLite reads a table whole once for each row
// of another, or makes an index of one that has none, but for what the statement makes itself
// and for tables that are small, by their names in it.
func RequireLinearPlan(t testing.TB, on interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, statement string, small ...string) {
	t.Helper()
	var args []any
	for _, name := range namedParameter.FindAllString(statement, -1) {
		args = append(args, sql.Named(name[1:], nil))
	}
	if len(args) == 0 {
		args = make([]any, numberedParameters)
	}
	rows, err := on.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, args...)
	require.NoError(t, err, statement)
	defer func() { require.NoError(t, rows.Close()) }()
	for _, match := range madeTable.FindAllStringSubmatch(statement, -1) {
		small = append(small, match[1])
	}
	within, looping := map[int]bool{}, map[int]bool{} // a loop, by step
	for rows.Next() {
		var id, parent, unused int
		var step string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
		words := strings.Fields(step)
		if loop := words[0] == "SCAN" || words[0] == "SEARCH"; loop && words[1] != "CONSTANT" {
			whole := words[0] == "SCAN" && !strings.Contains(step, "VIRTUAL TABLE") && (within[parent] || looping[parent])
			if !slices.Contains(small, words[1]) {
				require.False(t, whole || strings.Contains(step, "AUTOMATIC"), "%s\n%s", step, statement)
			}
			looping[parent] = true
		}
		switch words[0] {
		case "CORRELATED":
			within[id] = true
		case "SCALAR", "LIST": // asked once
		default:
			within[id] = within[parent]
		}
	}
	require.NoError(t, rows.Err())
}
