package refindex

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

var update = flag.Bool("update", false, "write the composed statements into testdata")

func TestMain(m *testing.M) { testenv.Main(m) }

// sortedRelations are the tables by their names, as an index sees them that has read them.
func sortedRelations(t *testing.T, d *testenv.Database, config Config) (ix *Index, relations []*relation) {
	t.Helper()
	config.Schema, config.ExecMode = d.Schema, func() pgx.QueryExecMode { return pgx.QueryExecModeExec }
	ix = New(config)
	require.NoError(t, pgx.BeginFunc(context.Background(), d.Pool, func(tx pgx.Tx) (err error) {
		relations, err = ix.readCatalog(t.Context(), tx)
		return err
	}))
	slices.SortFunc(relations, func(a, b *relation) int { return strings.Compare(a.name, b.name) })
	for i, r := range relations {
		r.id, r.generation = i+1, 1
	}
	return ix, relations
}

// The statements that are composed of the tables, at the newest schema of Open WebUI: a
// diff of these files is what a change of a fragment does to them.
func TestComposedStatements(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	ix, relations := sortedRelations(t, d, Config{})
	_, departing := sortedRelations(t, d, Config{DepartedIgnore: true})
	for name, sql := range map[string]string{
		"find.sql":           findSQL(relations),
		"find_indexed.sql":   findIndexedSQL(relations),
		"recheck.sql":        recheckSQL(relations, ix.quotedTable("file")),
		"row_candidates.sql": rowCandidatesSQL(relations),
		"unmentioned.sql":    unmentionedSQL(relations),
		"revived.sql":        revivedSQL(departing),
		"learn_files.sql":    ix.withFileTable(forgetNamesSQL + ";" + learnChangedSQL + ";" + hasVanishedSQL + ";" + forgetFilesSQL + ";" + learnFilesSQL + ";" + learnNamesSQL),
	} {
		path := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(strings.TrimPrefix(sql, "\n")+"\n"), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), strings.TrimPrefix(sql, "\n")+"\n", "%s: go test ./repo/postgres/refindex -update writes it anew", name)
	}
}
