package repotest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// usageIsTold: every row once, also those that hold what nobody expects, and over more
// than one page.
func usageIsTold(t *testing.T, e Engine) {
	e.parents(t)
	other := e.insert(t, "user", row{"name": "", "email": "other@example.com"})
	e.insert(t, "knowledge", row{"id": "k2", "user_id": other, "name": "Handbooks"})
	want := map[string]repo.StoredFile{}
	for i, id := range e.files(t, 1200) {
		want[id] = repo.StoredFile{ID: id, UserID: aUser, Path: "/data/uploads/" + id + "_report.pdf"}
		if i%2 == 0 {
			e.insert(t, "knowledge_file", row{"file_id": id, "knowledge_id": aKnowledge})
		}
	}
	long := `{"content":"` + strings.Repeat("a text ", 100) + `"}`
	for _, f := range []struct {
		id, hash, meta, want string
	}{
		{"of-bytes", "text", `{"size":1,"file_hash":"0af1"}`, "0af1"},
		{"of-text", "text", `{"size":1}`, "text"},
		{"of-odd", "text", `{"name":"a \u0000 b","file_hash":7}`, "text"},
	} {
		id := e.file(t, row{"id": f.id, "user_id": other, "path": nil, "hash": f.hash, "meta": f.meta, "data": long})
		e.insert(t, "knowledge_file", row{"file_id": id, "knowledge_id": "k2"})
		want[id] = repo.StoredFile{ID: id, UserID: other, Hash: f.want}
	}
	e.file(t, row{"id": "of-nobody", "user_id": nil, "data": nil, "meta": nil})
	want["of-nobody"] = repo.StoredFile{ID: "of-nobody", Path: "/data/uploads/", Hash: ""}
	e.requireStored(t, want)
	e.requireLinked(t)
	e.requireOwners(t, other)
}

func (e Engine) requireStored(t *testing.T, want map[string]repo.StoredFile) {
	t.Helper()
	got, text := map[string]repo.StoredFile{}, int64(0)
	for f, err := range e.DB.ListStored(t.Context()) {
		require.NoError(t, err)
		require.NotContains(t, got, f.ID)
		require.Equal(t, f.TextBytes == 0, f.ID == "of-nobody")
		text += f.TextBytes
		f.TextBytes = 0
		if f.ID == "of-nobody" {
			f.Path = "/data/uploads/"
		}
		got[f.ID] = f
	}
	require.Equal(t, want, got)
	for _, err := range e.DB.ListStored(t.Context()) { // as far as wanted
		require.NoError(t, err)
		break
	}
	size, err := e.DB.MeasureDatabase(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, size.Where)
	if size.NotMeasured == "" {
		require.Greater(t, size.FileBytes, text)
		require.GreaterOrEqual(t, size.Bytes, size.FileBytes)
	}
}

func (e Engine) requireLinked(t *testing.T) {
	t.Helper()
	linked := map[string]int{}
	for f, err := range e.DB.ListKnowledgeFiles(t.Context()) {
		require.NoError(t, err)
		require.NotEmpty(t, f.UserID)
		linked[f.KnowledgeID]++
	}
	require.Equal(t, map[string]int{aKnowledge: 600, "k2": 3}, linked)
}

func (e Engine) requireOwners(t *testing.T, other string) {
	t.Helper()
	users, knowledge, err := e.DB.ListOwners(t.Context())
	require.NoError(t, err)
	require.Len(t, users, 2)
	require.Contains(t, users, repo.Owner{ID: other, Name: "other@example.com"})
	require.Len(t, knowledge, 2)
	require.Contains(t, knowledge, repo.Owner{ID: "k2", Name: "Handbooks", UserID: other})
	found, err := e.DB.FindFileUsers(t.Context(), []string{"of-bytes", "of-nobody", "it's none"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"of-bytes": other, "of-nobody": ""}, found)
	found, err = e.DB.FindFileUsers(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, found)
}
