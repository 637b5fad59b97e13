package postgres_test

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

// The statements that are put together from fragments, at the newest schema of Open
// WebUI, where somebody dropped the foreign key of a link table.
func TestComposedStatements(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	key := testenv.Value[string](t, d, `SELECT quote_ident(conname) FROM pg_constraint
		WHERE conrelid = 'chat_file'::regclass AND confrelid = 'file'::regclass`)
	d.Exec(t, `ALTER TABLE chat_file DROP CONSTRAINT `+key)
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
		require.Equal(t, string(want), sql, "%s: go test ./repo/postgres -run ComposedStatements -update writes it anew", name)
	}
}
