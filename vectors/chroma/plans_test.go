package chroma

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// statements are those that have a name here, by that. A name that is a part of others has
// none.
func statements() map[string][]string {
	all := map[string][]string{
		"appliedSQL": {appliedSQL}, "askSQL": {askSQL}, "bareSQL": {bareSQL(anyName), bareSQL(ownNames), bareSQL(otherNames)},
		"carriedOutSQL": {carriedOutSQL}, "chunksPageSQL": {chunksPageSQL}, "collectionsSQL": {collectionsSQL},
		"deadClearSQL": {deadClearSQL}, "deadCountSQL": {deadCountSQL}, "deadDeleteSQL": {deadDeleteSQL},
		"doneClearSQL": {doneClearSQL}, "doneCountSQL": {doneCountSQL}, "forgetSQL": forgetSQL, "halvesSQL": {halvesSQL}, "hideSQL": hideSQL,
		"inSharedSQL": {inSharedSQL}, "leftSQL": {leftSQL}, "lostNamesSQL": {lostNamesSQL}, "markedNamesSQL": {markedNamesSQL},
		"markedSQL": {markedSQL}, "metadataSegmentsSQL": {metadataSegmentsSQL}, "namedSQL": {namedSQL}, "nextFileSQL": {nextFileSQL},
		"numberSQL": {numberSQL}, "ownHoldingsSQL": {ownHoldingsSQL}, "partsSQL": {partsSQL(0), partsSQL(1), partsSQL(2)},
		"pointsPageSQL": {pointsPageSQL}, "pointsSQL": {pointsSQL}, "queuePageSQL": {queuePageSQL}, "rowsSQL": rowsSQL,
		"sameFileSQL": {sameFileSQL}, "segmentChunksSQL": {segmentChunksSQL}, "segmentsSQL": {segmentsSQL},
		"segmentsPageSQL":   {segmentsPageSQL(anyName), segmentsPageSQL(ownNames), segmentsPageSQL(otherNames)},
		"sharedHoldingsSQL": {sharedHoldingsSQL}, "sharedSQL": {sharedSQL}, "stillLostSQL": {stillLostSQL}, "unhashSQL": {unhashSQL},
		"unqueueSQL": {unqueueSQL}, "versionSQL": {},
		"clearSQL": {}, "deadRecordSQL": {}, "doneRecordSQL": {}, "holdsSQL": {}, "markedCollectionsSQL": {}, "markedSegmentsSQL": {}, "mentionsSQL": {}, "notLastSQL": {},
	}
	for _, e := range entries {
		all["entries"] = append(all["entries"], "SELECT rowid FROM "+e.table+" WHERE "+e.lost)
	}
	return all
}

// While a statement reads, Chroma cannot commit. So none may read a table once for each row of
// another, as it would where an index is missing that it is thought to have.
func TestNoStatementReadsATableForEachRow(t *testing.T) {
	all := statements()
	for name := range declaredStatements(t) {
		require.Contains(t, all, name, "a statement that is not looked at")
	}
	dir := testenv.MemoryDir(t)
	testenv.StartChroma(t, dir)
	e, err := Open(t.Context(), EmbeddedOptions{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, e.withSession(t.Context(), "explain", func(s *session) error {
		for _, list := range all {
			for _, sql := range list {
				testenv.RequireLinearPlan(t, s.conn, sql)
			}
		}
		return nil
	}))
}

// declaredStatements are the names of this package's source that end in SQL.
func declaredStatements(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	names := map[string]bool{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BlockStmt:
					return false
				case *ast.ValueSpec:
					names[n.Names[0].Name] = strings.HasSuffix(n.Names[0].Name, "SQL")
				case *ast.FuncDecl:
					names[n.Name.Name] = strings.HasSuffix(n.Name.Name, "SQL")
				}
				return true
			})
		}
	}
	for name, statement := range names {
		if !statement {
			delete(names, name)
		}
	}
	require.NotEmpty(t, names)
	return names
}
