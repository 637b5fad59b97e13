package reap_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
)

// Tombstones of collections and points in the database itself: what is in use again is kept
// and told, what nobody can tell of yet waits, what is another program's stays.
func TestLeftoversInTheDatabaseAreAskedAboutAgain(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	used, unused, unknown, plugin := "web-search-a-1", "web-search-b-1", "web-search-c-1", "company-wiki"
	memory := testenv.InsertMemory(t, i.Pool, testenv.UserID)
	memories, lost := "user-memory-"+testenv.UserID, testenv.NewID()
	for _, name := range []string{used, unused, unknown, plugin} {
		i.AddPoint(t, name, testenv.NewID())
	}
	i.AddPoint(t, memories, memory)
	i.AddPoint(t, memories, lost)
	require.NoError(t, i.DB.SetNames(t.Context(), []string{used, unused}))
	i.RefreshIndex(t)
	testenv.InsertNote(t, i.Pool, used)
	var tombstones []repo.Tombstone
	for _, name := range []string{used, unused, unknown, plugin, memories} {
		tombstones = append(tombstones, repo.Tombstone{Kind: repo.Collection, FileID: name})
	}
	for _, id := range []string{memory, lost} {
		tombstones = append(tombstones, repo.Tombstone{Kind: repo.Points, FileID: memories + "/" + id})
	}
	i.AddTombstones(t, tombstones...)
	i.DrainTombstones(t)
	require.ElementsMatch(t, []string{used, unknown, plugin, memories}, testenv.Column[string](t, i.Database, `SELECT collection_name FROM document_chunk`))
	require.Equal(t, []string{memory}, testenv.Column[string](t, i.Database, `SELECT id FROM document_chunk WHERE collection_name = $1`, memories))
	require.Equal(t, []string{unknown}, testenv.Column[string](t, i.Database, `SELECT file_id FROM pruned.tombstone`))
}
