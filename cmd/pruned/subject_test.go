package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// Collections and points are explained, published and deleted by the same commands.
func TestCollectionsByCommands(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	i.seed(t, 1, 0)
	used, unused, plugin := "web-search-a-c0ffee", "web-search-b-c0ffee", "company-wiki"
	note := testenv.InsertNote(t, i.Pool, used)
	for _, name := range []string{used, unused, plugin, "knowledge-bases"} {
		i.Exec(t, `INSERT INTO document_chunk (id, collection_name, text, vmetadata) VALUES ($1, $2, 'text', '{}')`, testenv.NewID(), name)
	}
	lost := "knowledge-bases/" + testenv.Value[string](t, i.Database, `SELECT id FROM document_chunk WHERE collection_name = 'knowledge-bases'`)
	explain := func(typ, name string) explained {
		return ask[explained](t, i, "explain", "--type", typ, name)
	}
	require.Equal(t, "gone", explain("collection", "user-memory-nobody").Verdict)
	i.must(t, "sweep")
	e := explain("collection", used)
	require.Equal(t, "kept", e.Verdict)
	require.Equal(t, note, e.References[0].Row)
	require.Equal(t, "deleted", explain("collection", unused).Verdict)
	require.Equal(t, "deleted", explain("points", lost).Verdict)
	require.Contains(t, explain("collection", plugin).Why, "another program's")
	require.Contains(t, i.must(t, "explain", "--type", "collection", unused), "collection  "+unused)
	status, _, errs := i.pruned(t, "", "explain", unused)
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "--type collection")
	status, _, errs = i.pruned(t, "", "publish", "--type", "points", "no point")
	require.Equal(t, exitUsage, status)
	require.Contains(t, errs, "a slash")

	i.must(t, "publish", "--type", "collection", used, plugin)
	sum := i.drain(t)
	require.Equal(t, []int{2, 2}, []int{sum.Deleted, sum.Kept}, "two that the sweep published, two that were published by hand")
	require.ElementsMatch(t, []string{used, plugin}, testenv.Column[string](t, i.Database,
		`SELECT collection_name FROM document_chunk WHERE collection_name NOT LIKE 'file-%' AND collection_name !~ '^[0-9a-f]{8}-'`))
	require.Contains(t, explain("collection", unused).Why, "it was deleted")
}
