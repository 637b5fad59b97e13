//go:build e2e

package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

// TestE2ETakenOutPostgreSQL and TestE2ETakenOutSQLite: a removal from a knowledge base that
// was stopped after its first step leaves chunks that queries find. They go, alone, and the
// application takes the file again.
func TestE2ETakenOutPostgreSQL(t *testing.T) {
	t.Parallel()
	d := testenv.New(t, testenv.Empty())
	b := startBeside(t, openwebui.Options{DatabaseURL: d.URL, DataDir: t.TempDir(), VectorDB: openwebui.PGVector},
		"DATABASE_URL="+d.URL, "PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0")
	b.Database = d
	b.takeOut(t, b.pgShelf(), `UPDATE pruned.candidate SET first_seen = first_seen - interval '2 hours' WHERE file_id = $1`)
}

func TestE2ETakenOutSQLite(t *testing.T) {
	t.Parallel()
	b := startBeside(t, openwebui.Options{DataDir: t.TempDir(), VectorDB: openwebui.Chroma}, "PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0")
	b.takeOut(t, b.chromaShelf(), `UPDATE pruned_candidate SET first_seen = first_seen - 7200000000 WHERE file_id = $1`)
}

func (b *beside) takeOut(t *testing.T, s shelf, ageSQL string) {
	t.Helper()
	ctx := t.Context()
	base, err := b.app.CreateKnowledge(ctx, "The shelf")
	require.NoError(t, err)
	texts := []string{"The lighthouse is red.", "The harbour is green.", "The ferry is late."}
	var files []string
	put := func(n int) {
		id, err := b.app.Upload(ctx, texts[n][:8]+".txt", texts[n], true)
		require.NoError(t, err)
		files = append(files, id)
		_, err = b.app.CreateNote(ctx, "it names "+id)
		require.NoError(t, err)
		require.NoError(t, b.app.AddToKnowledge(ctx, base, id))
	}
	requireFound := func(want ...string) {
		t.Helper()
		found, err := b.app.QueryCollection(ctx, base, "What is there?", 5)
		require.NoError(t, err)
		require.ElementsMatch(t, want, found)
	}
	put(0)
	put(1)
	requireFound(texts[0], texts[1])
	s.exec(t, `DELETE FROM knowledge_file WHERE file_id = $1`, files[0])
	requireFound(texts[0], texts[1])

	b.must(t, "sweep")
	require.Equal(t, 1, b.drain(t).Young, "it may be being added")
	held := ask[struct {
		Orphans []struct {
			ID string `json:"file_id"`
		} `json:"orphans"`
	}](t, b.installation, "sweep", "--dry-run")
	require.Len(t, held.Orphans, 1)
	require.Contains(t, held.Orphans[0].ID, base+"/"+files[0]+":1-")
	s.exec(t, ageSQL, held.Orphans[0].ID)
	b.must(t, "publish", "--type", "points", held.Orphans[0].ID)
	require.Equal(t, 1, b.drain(t).Deleted)
	put(2) // Chroma removes at its next write
	requireFound(texts[1], texts[2])
	require.NoError(t, b.app.AddToKnowledge(ctx, base, files[0]), "it is no duplicate")
	requireFound(texts...)
	require.NoError(t, b.app.Restart(ctx))
	requireFound(texts...)
	for _, id := range files {
		_, err := b.app.FileContent(ctx, id)
		require.NoError(t, err)
	}
}
