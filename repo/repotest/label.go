package repotest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// labelCases are about what people know things by.
var labelCases = map[string]func(*testing.T, Engine){
	"labels tell of files":            labelsTellOfFiles,
	"labels tell of rows and users":   labelsTellOfRows,
	"labels come from odd rows, too":  labelsComeFromOddRows,
	"labels are of columns there are": labelsAreOfColumns,
}

func labelsTellOfFiles(t *testing.T, e Engine) {
	e.insert(t, "user", row{"id": aUser, "name": "Alice"})
	named := e.file(t, row{"user_id": aUser, "filename": "Größe \"1\".pdf", "meta": `{"name": "x", "size": 12345}`, "data": `{"status": "failed"}`})
	plain := e.file(t, row{"user_id": "nobody", "filename": "b", "meta": "{}", "data": "{}"})
	labels, err := e.DB.LabelFiles(background(), []string{named, plain, "missing", named})
	require.NoError(t, err)
	require.Equal(t, map[string]repo.FileLabel{
		named: {Name: "Größe \"1\".pdf", Owner: aUser, Size: 12345, Status: "failed"},
		plain: {Name: "b", Owner: "nobody"},
	}, labels)
	none, err := e.DB.LabelFiles(background(), nil)
	require.NoError(t, err)
	require.Empty(t, none)
	names, err := e.DB.NameUsers(background(), []string{aUser, "nobody"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{aUser: "Alice"}, names)
}

func labelsTellOfRows(t *testing.T, e Engine) {
	e.insert(t, "user", row{"id": aUser})
	base := e.insert(t, "knowledge", row{"name": "Handbook"})
	file := e.file(t, nil)
	link := e.insert(t, "knowledge_file", row{"knowledge_id": base, "file_id": file})
	note := e.insert(t, "note", row{"title": "To do", "user_id": aUser})
	for _, c := range []struct {
		table string
		key   string
		want  string
	}{{"knowledge", base, "Handbook"}, {"knowledge_file", link, "Handbook"}, {"note", note, "To do"}} {
		labels, err := e.DB.LabelRows(background(), c.table, []string{c.key, "missing"})
		require.NoError(t, err)
		require.Equal(t, map[string]repo.RowLabel{c.key: {Title: c.want, Owner: aUser}}, labels, c.table)
	}
	none, err := e.DB.LabelRows(background(), "feedback", []string{"a"})
	require.NoError(t, err)
	require.Empty(t, none)
}

// No row keeps others from being told.
func labelsComeFromOddRows(t *testing.T, e Engine) {
	odd := e.file(t, row{"filename": strings.Repeat("x", 5000) + "\n\x1b[31m", "meta": `{"size": "many"}`, "data": `{"status": {"a": 1}}`})
	fine := e.file(t, row{"filename": "fine", "meta": `{"size": 7}`})
	labels, err := e.DB.LabelFiles(background(), []string{odd, fine})
	require.NoError(t, err)
	require.Len(t, labels, 2)
	require.EqualValues(t, 7, labels[fine].Size)
	require.Len(t, labels[odd].Name, 5006)
	require.Zero(t, labels[odd].Size)
}

// Every title that is known has a table and columns in the application's schema.
func labelsAreOfColumns(t *testing.T, e Engine) {
	for _, title := range openwebui.Titles {
		_, err := e.DB.LabelRows(background(), title.Table, []string{"a"})
		require.NoError(t, err, title.Table)
	}
}
