package repotest

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// literalIDs: the column takes any string. What JSON and URLs write in only one
// way is searched, in any case.
func literalIDs(t *testing.T, e Engine) {
	hex := uuid.New()
	mentions := []struct{ id, text string }{
		{"report-7", `{"id":"report-7"}`},
		{"Plugin.File~2", `see /api/v1/files/plugin.file~2/content`},
		{"XY12", `{{VIDEO_FILE_ID_xy12}}`},
		{"7e9c1f0a2b", `"7E9C1F0A2B"`},
		{"6F9619FF-8B86-D011-B42D-00CF4FC964FF", `6f9619ff-8b86-d011-b42d-00cf4fc964ff`},
		{hex.String()[:35] + "~", hex.String()[:35] + "~"},
	}
	var ids []string
	for _, m := range mentions {
		ids = append(ids, e.file(t, row{"id": m.id}))
	}
	lone := e.file(t, row{"id": "lone.id"})
	// Exceptions are exceptions for these too.
	e.insert(t, "alembic_version", row{"version_num": lone})
	e.refresh(t)
	e.free(t, append(ids, lone)...)
	for _, m := range mentions {
		e.insert(t, "note", row{"title": "x" + m.text + "y"})
	}
	for range 2 {
		found := e.look(t, append(ids, lone)...)
		for _, id := range ids {
			require.Contains(t, found.Referenced, id)
		}
		require.Len(t, found.Referenced, len(ids))
		e.settle(t, ids...)
	}
	e.Exec(t, `DELETE FROM note`)
	e.free(t, append(ids, lone)...)
}

// unsearchableIDs may be written in ways that no search finds: they are never
// free.
func unsearchableIDs(t *testing.T, e Engine) {
	var ids []string
	for _, id := range []string{"a b", "a/b", `a"b`, "a%20b", "bücher", "a+b", "a{b", `a\b`, "a:b", "a_b\n", "\u212aey1", "f\u0130le1"} {
		ids = append(ids, e.file(t, row{"id": id}))
	}
	e.begin(t)
	found := e.look(t, ids...)
	for _, id := range ids {
		require.True(t, found.Unknown[id], "%q", id)
	}
	e.requireCandidates(t, repo.FromRows)
}

// valueIDs: a column of numbers, dates or truths may mention them, in a form of its
// own.
func valueIDs(t *testing.T, e Engine) {
	ids := []string{"123", "0123", "1e3", "-7", "1.50", "2024-06-01", "12.34.56.7", "true", "0x1f"}
	for _, id := range ids {
		e.file(t, row{"id": id})
	}
	e.Exec(t, `CREATE TABLE plugin (id integer PRIMARY KEY, file_id bigint, made date, done boolean)`)
	e.Exec(t, `INSERT INTO plugin VALUES (1, 123, '2024-06-01', true)`)
	e.begin(t)
	found := e.look(t, ids...)
	for _, id := range ids {
		require.True(t, found.Unknown[id], "%q", id)
	}
	e.requireCandidates(t, repo.FromRows)
}

// unknownUntilPass: of a file that no pass has seen nothing is known, but to an
// engine with one writer, whose looks see everything.
func unknownUntilPass(t *testing.T, e Engine) {
	before := e.file(t, nil)
	require.Error(t, e.DB.InTx(background(), nil, func(tx tx) error {
		_, err := e.DB.FindReferences(background(), tx, []string{before})
		return err
	}), "an index that was never made")
	e.refresh(t)
	e.free(t, before)

	fresh, mentioned := e.file(t, aged(0)), e.file(t, aged(0))
	e.insert(t, "note", row{"title": mentioned})
	found := e.look(t, fresh, mentioned)
	require.True(t, found.Unknown[fresh] || e.Hold == nil)
	require.Contains(t, found.Referenced, mentioned)
	e.pass(t)
	e.free(t, fresh)
	found = e.look(t, mentioned)
	require.Empty(t, found.Unknown)
	require.Contains(t, found.Referenced, mentioned)
}

// indexAgeIsTold asks while a transaction of ours is open, too.
func indexAgeIsTold(t *testing.T, e Engine) {
	_, known, err := e.DB.IndexAge(background())
	require.NoError(t, err)
	require.False(t, known)
	before := time.Now()
	e.refresh(t)
	age, known, err := e.DB.IndexAge(background())
	require.NoError(t, err)
	require.True(t, known)
	require.GreaterOrEqual(t, age, time.Duration(0))
	require.LessOrEqual(t, age, time.Since(before))
	e.in(t, func(ctx context.Context, _ repo.Tx) {
		_, known, err := e.DB.IndexAge(ctx)
		require.NoError(t, err)
		require.True(t, known)
	})
}
