package repotest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// everyMentionKeeps: each mention alone keeps its file, whether its row changed
// since the last pass or is found through the index.
func everyMentionKeeps(t *testing.T, e Engine) {
	e.parents(t)
	all := e.places(t)
	ids := e.files(t, len(all))
	e.refresh(t)
	e.free(t, ids...)

	var removes []func()
	for i, p := range all {
		removes = append(removes, e.put(t, p, ids[i]))
	}
	e.keeps(t, all, ids)
	e.settle(t, ids...)
	e.keeps(t, all, ids)

	for _, remove := range removes {
		remove()
	}
	e.free(t, ids...)
	e.settle(t, ids...)
	e.free(t, ids...)
}

// keeps says that each file is referenced by its place and no other.
func (e Engine) keeps(t testing.TB, all []place, ids []string) {
	t.Helper()
	found := e.look(t, ids...)
	require.Empty(t, found.Unknown)
	for i, p := range all {
		reference, kept := found.Referenced[ids[i]]
		require.True(t, kept, "not kept by %s", p)
		require.Equal(t, p.table, reference.Table, "kept by another than %s", p)
		if reference.Column != "" {
			require.Equal(t, p.column, reference.Column, "kept by another than %s", p)
		}
	}
}

// goneMentionKeepsNothing: what a row said before it was written anew, and what
// an aborted transaction said, is forgotten.
func goneMentionKeepsNothing(t *testing.T, e Engine) {
	first, second := e.file(t, nil), e.file(t, nil)
	note := e.insert(t, "note", row{"data": strings.ReplaceAll(asItem, "%s", first)})
	e.settle(t, first, second)
	require.Contains(t, e.look(t, first, second).Referenced, first)

	e.Exec(t, `UPDATE note SET data = $1 WHERE id = $2`, strings.ReplaceAll(asItem, "%s", second), note)
	for range 2 {
		found := e.look(t, first, second)
		require.Equal(t, []string{second}, slices.Collect(maps.Keys(found.Referenced)))
		e.settle(t, first, second)
	}
	e.Exec(t, `UPDATE note SET data = NULL WHERE id = $1`, note)
	e.free(t, first, second)
	e.settle(t, first, second)
	e.free(t, first, second)
}

// noUseKeepsNothing are the exceptions, each with a file of its own.
func noUseKeepsNothing(t *testing.T, e Engine) {
	mentions := map[string]func(id string){
		"its own row": func(id string) {
			e.Exec(t, `UPDATE file SET meta = $1, data = $2 WHERE id = $3`,
				`{"collection_name":"file-`+id+`"}`, `{"content":"I am `+id+`"}`, id)
		},
		"another file's meta": func(id string) {
			e.file(t, row{"meta": `{"data":{"files":[{"id":"` + id + `"}]}}`})
		},
		"another file's data": func(id string) { e.file(t, row{"data": `{"content":"` + id + `"}`}) },
		"config_old":          func(id string) { e.insert(t, "config_old", row{"data": `{"a":"` + id + `"}`}) },
		"access_grant":        func(id string) { e.insert(t, "access_grant", row{"resource_id": id}) },
		"a prefix of the id":  func(id string) { e.insert(t, "note", row{"title": "x " + id[:35] + " y"}) },
		"the id in pieces":    func(id string) { e.insert(t, "note", row{"title": id[:18], "data": `"` + id[18:] + `"`}) },
		"the id with a space": func(id string) { e.insert(t, "note", row{"title": id[:9] + " " + id[9:]}) },
		"mixed separators":    func(id string) { e.insert(t, "note", row{"title": strings.Replace(id, "-", "_", 1)}) },
		"the next id":         func(id string) { e.insert(t, "note", row{"title": "0" + id[:35]}) },
		"a longer run":        func(id string) { e.insert(t, "note", row{"title": "01234" + bare(id)}) },
	}
	var ids []string
	for _, name := range slices.Sorted(maps.Keys(mentions)) {
		id := e.file(t, nil)
		mentions[name](id)
		ids = append(ids, id)
	}
	e.refresh(t)
	e.free(t, ids...)
	e.settle(t, ids...)
	e.free(t, ids...)
}

// refreshReadsMany: a first pass over more rows than fit into a page finds all
// that they mention.
func refreshReadsMany(t *testing.T, e Engine) {
	const n = 4500
	first, last := e.file(t, nil), e.file(t, nil)
	var values []string
	for i := range n {
		title := "t"
		switch i {
		case 0:
			title = first
		case n - 1:
			title = last
		}
		values = append(values, fmt.Sprintf("('n%05d', 'u', '%s', 1, 1)", i, title))
	}
	e.Exec(t, `INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES `+strings.Join(values, ", "))
	e.refresh(t)
	for range 2 {
		found := e.look(t, first, last)
		require.Len(t, found.Referenced, 2)
		require.Equal(t, fmt.Sprintf("n%05d", n-1), found.Referenced[last].Row)
		e.settle(t, first, last)
	}
	e.Exec(t, `UPDATE note SET title = 'none'`)
	e.free(t, first, last)
	e.settle(t, first, last)
	e.free(t, first, last)
}
