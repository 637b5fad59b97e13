package sqlite_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

var update = flag.Bool("update", false, "write the composed statements into testdata")

// The statements that are put together from fragments, or from the tables of the schema,
// at the newest schema of Open WebUI: a diff of these files is what a change of a fragment
// does to them.
func TestComposedStatements(t *testing.T) {
	t.Parallel()
	db := open(t, newMigrated(t, "wal"))
	statements, err := db.ComposedStatements(t.Context())
	require.NoError(t, err)
	for name, sql := range statements {
		path := filepath.Join("testdata", name)
		sql = strings.TrimPrefix(sql, "\n") + "\n"
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(sql), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), sql, "%s: go test ./repo/sqlite -run ComposedStatements -update writes it anew", name)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "*.sql"))
	require.NoError(t, err)
	for _, path := range files {
		require.Contains(t, statements, filepath.Base(path), "no statement is compared with this file")
	}
}

// What a statement costs must not grow with the square of an installation.
func TestComposedStatementsReadNoTableForEachRow(t *testing.T) {
	t.Parallel()
	db := open(t, newMigrated(t, "wal"))
	statements, err := db.ComposedStatements(t.Context())
	require.NoError(t, err)
	// Of holds there are a few; what users left is looked for in models and folders, which
	// are not many, and one look goes from a folder to those around it.
	small := map[string][]string{"listed_candidates.sql": {"h"}, "departed.sql": {"m", "d", "a"}}
	delete(statements, "shadow.sql") // of a schema that is not there
	for name, joined := range statements {
		t.Run(name, func(t *testing.T) {
			for one := range strings.SplitSeq(joined, ";\n") {
				testenv.RequireLinearPlan(t, db.Pool(), one, small[name]...)
			}
		})
	}
}
