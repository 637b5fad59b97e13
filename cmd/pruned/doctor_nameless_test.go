package main

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// A chunk in a knowledge base without metadata is kept, and said.
func TestDoctorTellsOfNamelessChunks(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	i.must(t, "migrate")
	file, base, search := testenv.NewFile(t, i.Pool), uuid.NewString(), "web-search-"+uuid.NewString()+"-0a"
	for _, collection := range []string{"", base, search} {
		testenv.InsertChunks(t, i.Pool, testenv.Chunks{Collection: collection, FileID: file, N: 2, Vectors: small})
	}
	require.NotContains(t, i.must(t, "doctor"), "without a file's id")

	i.Exec(t, `UPDATE document_chunk SET vmetadata = NULL WHERE id IN (SELECT min(id) FROM document_chunk GROUP BY collection_name)`)
	found := i.diagnose(t).of(t, "chunks")
	require.Equal(t, "1 chunk without a file's id in knowledge bases: nobody can tell whose, so that they stay as long as their collection: "+base, found.Detail)
	require.True(t, found.OK)
	require.True(t, found.Warn)
}

// The same in embedded Chroma.
func TestDoctorTellsOfNamelessChunksOnSQLite(t *testing.T) {
	t.Parallel()
	i, world := scratch(t)
	require.NotContains(t, i.must(t, "doctor"), "without a file's id")
	db, err := sql.Open("sqlite", "file:"+filepath.Join(world.Dir, "vector_db", "chroma.sqlite3"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	taken, err := db.Exec(`DELETE FROM embedding_metadata WHERE key = 'file_id' AND id IN (
		SELECT min(e.id) FROM embeddings e JOIN segments s ON s.id = e.segment_id JOIN collections c ON c.id = s.collection
		 WHERE length(c.name) = 36 GROUP BY c.id)`)
	require.NoError(t, err)
	rows, err := taken.RowsAffected()
	require.NoError(t, err)
	require.Positive(t, rows)
	found := i.diagnose(t).of(t, "chunks")
	require.Regexp(t, `^\d+ chunks? without a file's id in knowledge bases: `, found.Detail)
	require.True(t, found.Warn)
}
