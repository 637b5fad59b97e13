package testenv_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

func TestSeedMakesWhatItSays(t *testing.T) {
	t.Parallel()
	db, uploads := testenv.New(t), t.TempDir()
	world, err := testenv.Seed(t.Context(), db.Pool, testenv.SeedOptions{
		Files: 100, Orphans: 40, ChunksPerFile: 3, Vectors: testenv.VectorOptions{Dim: 8, Index: true},
		Chats: 30, ChatBytes: 1000, UploadDir: uploads,
	})
	require.NoError(t, err)
	require.Len(t, world.Orphans, 40)
	require.Len(t, world.InUse, 60)
	require.Equal(t, 100, testenv.Value[int](t, db, "SELECT count(*) FROM file WHERE created_at < extract(epoch FROM now()) - 86400"))
	require.GreaterOrEqual(t, testenv.Value[int](t, db, "SELECT count(*) FROM chat"), 30)
	require.Equal(t, 300+12*3, world.Chunks, "12 files are in the knowledge base too")
	require.Equal(t, world.Chunks, testenv.Value[int](t, db, "SELECT count(*) FROM document_chunk"))
	stored, err := os.ReadDir(uploads)
	require.NoError(t, err)
	require.Len(t, stored, 100)
	require.ElementsMatch(t, world.InUse, testenv.Column[string](t, db, mentioned))
}

// mentioned looks for every id in every place that Seed writes to.
const mentioned = `
WITH place (text) AS (
	SELECT chat::text FROM chat
	UNION ALL SELECT file_id FROM chat_file
	UNION ALL SELECT file_id FROM knowledge_file
	UNION ALL SELECT data::text FROM note
	UNION ALL SELECT meta FROM model
)
SELECT id FROM file WHERE EXISTS (SELECT FROM place WHERE position(file.id IN place.text) > 0)`

func TestSeededVectorsDoNotCompress(t *testing.T) {
	t.Parallel()
	db := testenv.New(t)
	_, err := testenv.Seed(t.Context(), db.Pool, testenv.SeedOptions{Files: 10, ChunksPerFile: 1})
	require.NoError(t, err)
	require.Equal(t, []int{6148}, testenv.Column[int](t, db,
		"SELECT DISTINCT pg_column_size(vector) FROM document_chunk"))
}

func TestSeedSQLiteMakesWhatItSays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "webui.db")
	world, err := testenv.SeedSQLite(t.Context(), path, testenv.SeedOptions{
		Files: 100, Orphans: 40, Chats: 30, ChatBytes: 1000, UploadDir: dir,
	})
	require.NoError(t, err)
	require.Len(t, world.Orphans, 40)
	require.Len(t, world.InUse, 60)
	require.Subset(t, world.InUse, world.InKnowledge)
	require.Len(t, world.InKnowledge, 12)
	stored, err := filepath.Glob(filepath.Join(dir, "*.pdf"))
	require.NoError(t, err)
	require.Len(t, stored, 100)
	db, err := testenv.OpenSQLite(path, "wal")
	require.NoError(t, err)
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), mentionedSQLite)
	require.NoError(t, err)
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		require.NoError(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, rows.Err())
	require.ElementsMatch(t, world.InUse, ids)
}

const mentionedSQLite = `
WITH place (text) AS (
	SELECT chat FROM chat
	UNION ALL SELECT file_id FROM chat_file
	UNION ALL SELECT file_id FROM knowledge_file
	UNION ALL SELECT data FROM note
	UNION ALL SELECT meta FROM model
)
SELECT id FROM file WHERE EXISTS (SELECT 1 FROM place WHERE instr(place.text, file.id) > 0)`
