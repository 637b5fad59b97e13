package repotest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// deadRowKeepsNothing: a row whose parent is missing, with which the application
// would have deleted it, does not live. It lives again with its parent.
func deadRowKeepsNothing(t *testing.T, e Engine) {
	const gone = "a-parent"
	children := []struct {
		table   string
		columns row
		parent  string
		as      row
	}{
		{"chat_file", row{"chat_id": gone}, "chat", nil},
		{"channel_file", row{"channel_id": gone}, "channel", nil},
		{"channel_file", row{"channel_id": aChannel, "message_id": gone}, "message", nil},
		{"knowledge_file", row{"knowledge_id": gone}, "knowledge", nil},
		{"chat_message", row{"chat_id": gone}, "chat", nil},
		{"message", row{"channel_id": gone}, "channel", nil},
	}
	mentions := map[string]string{"chat_message": "content", "message": "data"}
	e.parents(t)
	var ids []string
	for _, child := range children {
		id := e.file(t, nil)
		ids = append(ids, id)
		columns := row{"file_id": id}
		if column := mentions[child.table]; column != "" {
			columns = row{column: strings.ReplaceAll(asItem, "%s", id)}
		}
		for column, value := range child.columns {
			columns[column] = value
		}
		e.insertWith(t, e.Unchecked, child.table, columns)
	}
	e.refresh(t)
	e.free(t, ids...)
	e.settle(t, ids...)
	e.free(t, ids...)

	for _, parent := range []string{"chat", "channel", "message", "knowledge"} {
		e.insert(t, parent, row{"id": gone})
	}
	for range 2 {
		found := e.look(t, ids...)
		for i, child := range children {
			require.Contains(t, found.Referenced, ids[i], child.table)
		}
		e.settle(t, ids...)
	}
	e.Unchecked(t, `DELETE FROM chat WHERE id = $1`, gone)
	require.NotContains(t, e.look(t, ids...).Referenced, ids[0])
}

// freeRowKeeps: a missing parent that only empties a column, and a parent that
// was never named, say nothing about the row's life.
func freeRowKeeps(t *testing.T, e Engine) {
	e.parents(t)
	ids := e.files(t, 4)
	e.insertWith(t, e.Unchecked, "knowledge_file", row{"file_id": ids[0], "directory_id": "gone"})
	e.insertWith(t, e.Unchecked, "group", row{"meta": `"` + ids[1] + `"`, "parent_group_id": "gone"})
	e.insert(t, "message", row{"content": ids[2], "channel_id": nil})
	e.insert(t, "channel_file", row{"file_id": ids[3], "message_id": nil})
	e.refresh(t)
	for range 2 {
		require.Len(t, e.look(t, ids...).Referenced, len(ids))
		e.settle(t, ids...)
	}
}
