package repotest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// leftoverCases are what every engine promises about collections and points.
var leftoverCases = map[string]func(*testing.T, Engine){
	"names: a mention keeps one":                   mentionKeepsName,
	"names: a new one is unknown until it is read": newNameIsUnknown,
	"names: those that are dropped are forgotten":  droppedNamesAreForgotten,
	"names: a file may have the same":              fileHasName,
	"names: files are as they were without":        filesAreAsBefore,
	"names: a mention stops the clock":             mentionStopsNamesClock,
	"names: they are known without a key":          namesWithoutKey,
	"leftovers: rows that are missing are told":    missingRowsAreTold,
	"leftovers: since when they are known":         graceIsRead,
	"leftovers: files that name a collection":      namingFilesAreFound,
	"leftovers: links of knowledge bases":          missingLinksAreTold,
	"leftovers: whether there are users":           usersAreLookedFor,
}

// searchName is a name as the application gives it to what it found in the web.
func searchName() string { return "web-search-" + (digits() + digits())[:52] }

func digits() string { return strings.ReplaceAll(uuid.NewString(), "-", "") }

// digest is a name as the application gives it to a pasted text. A number may begin with
// 0b as well.
func digest() string { return "0b" + (digits() + digits())[2:] }

func (e Engine) setNames(t testing.TB, names ...string) {
	t.Helper()
	require.NoError(t, e.DB.SetNames(background(), names))
}

// requireUnmentioned says which of the names nothing mentions.
func (e Engine) requireUnmentioned(t testing.TB, names []string, want ...string) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		free, err := e.DB.FindUnmentioned(ctx, tx, names)
		require.NoError(t, err)
		require.ElementsMatch(t, want, free)
	})
}

// mentionKeepsName: in whatever letters, in JSON, as the id of a row.
func mentionKeepsName(t *testing.T, e Engine) {
	word, listed, shouted, lone := searchName(), digest(), searchName(), searchName()
	base, gone := uuid.NewString(), uuid.NewString()
	names := []string{word, listed, shouted, lone, base, gone, "a b"}
	e.parents(t)
	used := e.file(t, nil)
	e.insert(t, "note", row{"title": used})
	e.insert(t, "note", row{"title": "see " + word + "!"})
	e.insert(t, "note", row{"data": `{"collection_name": "` + listed + `"}`})
	e.insert(t, "chat", row{"chat": `{"name":"` + strings.ToUpper(shouted) + `"}`})
	e.insert(t, "knowledge", row{"id": base})
	e.insertWith(t, e.Unchecked, "chat_message", row{"content": `"` + lone + `"`, "chat_id": "no such chat"})
	e.setNames(t, append(names, word)...)
	e.refresh(t)
	for range 2 {
		found := e.look(t, append(slices.Clone(names), used)...)
		require.Equal(t, map[string]bool{"a b": true}, found.Unknown)
		require.Len(t, found.Referenced, 5)
		for name, table := range map[string]string{word: "note", listed: "note", shouted: "chat", base: "knowledge", used: "note"} {
			require.Equal(t, table, found.Referenced[name].Table, name)
		}
		e.requireUnmentioned(t, names, lone, gone)
		e.settle(t, names...)
	}
	e.begin(t)
	require.Zero(t, e.Count(t, `SELECT count(*) FROM `+e.Own("candidate")), "a name is no row")
	e.Exec(t, `DELETE FROM note`)
	e.Exec(t, `DELETE FROM knowledge`)
	e.requireUnmentioned(t, names, word, listed, lone, base, gone)
	e.begin(t)
	e.requireCandidates(t, repo.FromRows, used)
	e.requireUnmentioned(t, names[:5], word, listed, lone, base)
	e.requireUnmentioned(t, nil)
}

// newNameIsUnknown: rows that were read before may mention it. A UUID that stood nowhere
// is known after one pass, like a file.
func newNameIsUnknown(t *testing.T, e Engine) {
	word, lone := searchName(), searchName()
	base, other := uuid.NewString(), uuid.NewString()
	names := []string{word, lone, base, other}
	require.Error(t, e.DB.InTx(background(), nil, func(tx tx) error {
		_, err := e.DB.FindUnmentioned(background(), tx, names)
		return err
	}), "an index that was never made")
	e.insert(t, "note", row{"title": word})
	e.insert(t, "note", row{"title": base})
	e.settle(t)
	e.setNames(t, names...)
	unknown := func(want ...string) {
		t.Helper()
		found := e.look(t, names...)
		require.Len(t, found.Unknown, len(want))
		for _, name := range want {
			require.True(t, found.Unknown[name], name)
		}
	}
	unknown(names...)
	e.requireUnmentioned(t, names)
	for range 2 {
		e.pass(t)
		unknown(word, lone, base)
		e.requireUnmentioned(t, names, other)
	}
	e.refresh(t)
	unknown()
	e.requireUnmentioned(t, names, lone, other)
	found := e.look(t, names...)
	require.Contains(t, found.Referenced, word)
	require.Contains(t, found.Referenced, base)
	e.insert(t, "note", row{"title": lone})
	require.Contains(t, e.look(t, lone).Referenced, lone, "also one that came after the last pass")
}

// droppedNamesAreForgotten: at the latest when everything is read again.
func droppedNamesAreForgotten(t *testing.T, e Engine) {
	first, second, third := searchName(), searchName(), uuid.NewString()
	e.insert(t, "note", row{"title": first + third})
	e.setNames(t, first, third)
	e.refresh(t)
	require.Len(t, e.look(t, first, third).Referenced, 2)
	e.setNames(t, second)
	e.refresh(t)
	found := e.look(t, first, second, third)
	require.Equal(t, map[string]bool{first: true, third: true}, found.Unknown)
	require.EqualValues(t, 1, e.Count(t, `SELECT count(*) FROM `+e.Own("name")))
	e.setNames(t, first, second)
	e.refresh(t)
	found = e.look(t, first, second)
	require.Contains(t, found.Referenced, first)
	require.Empty(t, found.Unknown)
	e.setNames(t)
	require.Zero(t, e.Count(t, `SELECT count(*) FROM `+e.Own("name")))
	e.refresh(t)
}

// fileHasName: what is a name may become the id of a file, and be one no more. Of a name no
// row of table file is taken to be there, whatever its letters.
func fileHasName(t *testing.T, e Engine) {
	both, word := uuid.NewString(), searchName()
	e.insert(t, "note", row{"title": word})
	e.setNames(t, both, word)
	e.settle(t, both, word)
	e.sweep(t, repo.FromVectors, object(both, 0, 0), object(strings.ToUpper(both), 0, 0))
	e.requireCandidates(t, repo.FromVectors, both, strings.ToUpper(both))
	e.requireCandidates(t, repo.FromRows)

	shared := uuid.NewString() + "_report.pdf"
	for _, id := range []string{both, word} {
		e.file(t, row{"id": id, "path": "/plugin/" + shared})
	}
	e.refresh(t)
	e.sweep(t, repo.FromBytes, repo.Listed{FileID: uuid.NewString(), Name: shared, Size: 1}, repo.Listed{FileID: uuid.NewString(), Name: "team/" + shared, Size: 1})
	e.requireCandidates(t, repo.FromBytes)
	e.requireCandidates(t, repo.FromRows, both)
	require.Contains(t, e.look(t, both, word).Referenced, word)
	e.requireUnmentioned(t, []string{both, word}, both)

	e.Exec(t, `DELETE FROM file`)
	e.begin(t)
	e.requireCandidates(t, repo.FromRows)
	require.Contains(t, e.look(t, both, word).Referenced, word)
	e.requireUnmentioned(t, []string{both, word}, both)
	e.file(t, nil)
	e.setNames(t)
	e.sweep(t, repo.FromBytes, repo.Listed{FileID: uuid.NewString(), Name: shared, Size: 1})
	require.Len(t, e.candidates(t, repo.FromBytes, repo.Ages{}), 1)
}

// filesAreAsBefore: whatever names there are, also such as are like ids of files.
func filesAreAsBefore(t *testing.T, e Engine) {
	e.parents(t)
	var ids, names []string
	for i := range 24 {
		id := uuid.NewString()
		if i%2 == 0 {
			id = "File." + digits()
		}
		ids = append(ids, e.file(t, row{"id": id}))
		switch i % 3 {
		case 0:
			e.insert(t, "note", row{"title": "x" + strings.ToUpper(id) + searchName()})
		case 1:
			e.insertWith(t, e.Unchecked, "chat_message", row{"content": `"` + id + `"`, "chat_id": "gone"})
		}
		names = append(names, strings.ToLower(id), id[:len(id)-1], id[5:], "x"+id, searchName(), uuid.NewString(), id[:8])
	}
	e.begin(t)
	before := e.look(t, ids...)
	require.Len(t, before.Referenced, 8)
	var free []string
	for _, id := range ids {
		if _, kept := before.Referenced[id]; !kept {
			free = append(free, id)
		}
	}
	first := e.requireCandidates(t, repo.FromRows, free...)
	for _, names := range [][]string{names, names[:20], append(names[40:], "y"+ids[0]), nil} {
		e.setNames(t, names...)
		e.begin(t)
		after := e.look(t, ids...)
		require.ElementsMatch(t, slices.Collect(maps.Keys(before.Referenced)), slices.Collect(maps.Keys(after.Referenced)))
		require.Empty(t, after.Unknown)
		for id, c := range e.requireCandidates(t, repo.FromRows, free...) {
			require.Equal(t, first[id].Since, c.Since)
		}
		require.EqualValues(t, len(free), e.census(t, repo.FromRows, repo.Ages{}, 0).Found)
	}
}

// mentionStopsNamesClock: a collection that was in use meanwhile is found anew.
func mentionStopsNamesClock(t *testing.T, e Engine) {
	word, base := searchName(), uuid.NewString()
	e.setNames(t, word, base)
	e.refresh(t)
	e.sweep(t, repo.FromCollections, object(word, 0, 0), object(base, 0, 0), object("user-memory-x", 0, 0))
	e.insert(t, "note", row{"title": word})
	e.insert(t, "knowledge", row{"id": base, "name": "user-memory-x"})
	e.pass(t)
	e.requireCandidates(t, repo.FromCollections, "user-memory-x")
}

// namesWithoutKey: rows that the index cannot hold are read each time.
func namesWithoutKey(t *testing.T, e Engine) {
	names := []string{searchName(), searchName(), uuid.NewString(), uuid.NewString()}
	e.Exec(t, `CREATE TABLE extra (v text)`)
	e.Exec(t, `INSERT INTO extra VALUES ($1), ($2), (NULL)`, strings.ToUpper(names[0]), names[2])
	e.setNames(t, names...)
	e.refresh(t)
	e.requireUnmentioned(t, names, names[1], names[3])
	e.Exec(t, `DELETE FROM extra WHERE v IS NOT NULL`)
	e.refresh(t)
	e.requireUnmentioned(t, names, names...)
}

// lookAgainFindsName: a mention that somebody else commits between the two looks.
func lookAgainFindsName(t *testing.T, e Engine) {
	word, lone, base := searchName(), searchName(), uuid.NewString()
	e.setNames(t, word, lone, base)
	e.settle(t, word, lone, base)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		names := []string{word, lone, base}
		found, err := e.DB.FindReferences(ctx, tx, names)
		require.NoError(t, err)
		require.Empty(t, found.Referenced)
		require.Empty(t, found.Unknown)
		e.insert(t, "note", row{"title": strings.ToUpper(word)})
		e.insert(t, "knowledge", row{"id": base})
		appeared, err := e.DB.RecheckReferences(ctx, tx, found, names, nil)
		require.NoError(t, err)
		require.Len(t, appeared.References, 2)
		require.Contains(t, appeared.References, word)
		require.Contains(t, appeared.References, base)
	})
}

// namingFilesAreFound: exactly, and whatever else stands in meta.
func namingFilesAreFound(t *testing.T, e Engine) {
	name, other := digest(), digest()
	file := e.file(t, row{"meta": `{"name": "a", "collection_name": "` + name + `"}`})
	e.file(t, row{"meta": `{"name": "b\u0000", "collection_name": "x` + other + `"}`})
	e.file(t, nil)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		files, err := e.DB.FindNamingFiles(ctx, tx, []string{name, other, ""})
		require.NoError(t, err)
		require.Equal(t, map[string]string{name: file}, files)
		files, err = e.DB.FindNamingFiles(ctx, tx, nil)
		require.NoError(t, err)
		require.Empty(t, files)
	})
}

func usersAreLookedFor(t *testing.T, e Engine) {
	for _, want := range []bool{false, true} {
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			has, err := e.DB.HasUsers(ctx, tx)
			require.NoError(t, err)
			require.Equal(t, want, has)
		})
		if !want {
			e.parents(t)
		}
	}
}
