//go:build e2e

package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

func TestE2ERestore(t *testing.T) {
	t.Parallel()
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		d := testenv.New(t, testenv.Empty())
		testRestore(t, startBeside(t, openwebui.Options{DatabaseURL: d.URL, DataDir: t.TempDir(), VectorDB: openwebui.PGVector}, "DATABASE_URL="+d.URL))
	})
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		testRestore(t, startBeside(t, openwebui.Options{DataDir: t.TempDir(), VectorDB: openwebui.Chroma}))
	})
}

// testRestore has files deleted that nothing uses, and takes them back: a plain one, one
// that was in a knowledge base, one without a text. Then the application opens them, and
// answers with what they say.
func testRestore(t *testing.T, b *beside) {
	i := b.with("PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_TRASH=1h", "OPEN_WEBUI_URL="+b.app.URL())
	base, err := b.app.CreateKnowledge(t.Context(), "A base")
	require.NoError(t, err)
	upload := func(name, content string, process bool) string {
		id, err := b.app.Upload(t.Context(), name, content, process)
		require.NoError(t, err)
		return id
	}
	const text = "The lighthouse stands on the causeway"
	kept := upload("kept.txt", "The mill grinds barley", true)
	plain := upload("plain.txt", text, true)
	listed := upload("listed.txt", "The ferry crosses at noon", true)
	silent := upload("silent.txt", "Nobody reads this", false)
	require.NoError(t, b.app.AddToKnowledge(t.Context(), base, kept))
	require.NoError(t, b.app.AddToKnowledge(t.Context(), base, listed))
	require.NoError(t, b.app.RemoveFromKnowledge(t.Context(), base, listed, false))

	i.must(t, "sweep")
	require.Equal(t, 3, i.drain(t).Deleted)
	for _, id := range []string{plain, listed, silent} {
		_, err := b.app.GetFile(t.Context(), id)
		var answer *openwebui.StatusError
		require.ErrorAs(t, err, &answer)
		require.Equal(t, http.StatusNotFound, answer.Status)
	}
	answers := func(collection, query string) []string {
		texts, err := b.app.QueryCollection(t.Context(), collection, query, 5)
		require.NoError(t, err)
		return texts
	}
	require.Empty(t, answers(openwebui.FileCollection(plain), text))

	// With a token that does not hold the files are back, and their vectors are not.
	status, out, errs := i.with("OPEN_WEBUI_TOKEN=sk-wrong").pruned(t, "", "restore", "--reindex", plain, silent)
	require.Equal(t, exitFailed, status)
	require.Contains(t, out, "restored; vectors: read the text of file "+plain+": Open WebUI answers 401")
	require.Contains(t, errs, "`pruned restore --reindex ID...` tries them again")
	require.NotContains(t, out+errs, "sk-wrong")
	content, err := b.app.FileContent(t.Context(), plain)
	require.NoError(t, err)
	require.Equal(t, text, string(content))
	require.Empty(t, answers(openwebui.FileCollection(plain), text))

	i = i.with("OPEN_WEBUI_TOKEN=" + b.app.Token())
	out = i.must(t, "restore", "--reindex", plain, listed, silent)
	require.Regexp(t, plain+` .*restored before; vectors: made\n`, out)
	require.Regexp(t, listed+` .*restored; vectors: made\n`, out)
	require.Regexp(t, silent+` .*restored before; vectors: none, since it has no text\n`, out)
	require.Equal(t, []string{text}, answers(openwebui.FileCollection(plain), text))
	require.Equal(t, []string{"The ferry crosses at noon"}, answers(openwebui.FileCollection(listed), "ferry"))
	file, err := b.app.GetFile(t.Context(), plain)
	require.NoError(t, err)
	require.Equal(t, "completed", file.Data.Status)

	// The knowledge base does not list the file any more, and takes it again.
	require.NotContains(t, answers(base, "ferry"), "The ferry crosses at noon")
	require.NoError(t, b.app.AddToKnowledge(t.Context(), base, listed))
	require.Contains(t, answers(base, "ferry"), "The ferry crosses at noon")

	// Where a knowledge base lists the file its copy is made anew, once.
	i.must(t, "restore", "--reindex", listed)
	require.ElementsMatch(t, []string{"The ferry crosses at noon", "The mill grinds barley"}, answers(base, "ferry"))
}
