package repotest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// missingRowsAreTold: ids are compared as text, exactly.
func missingRowsAreTold(t *testing.T, e Engine) {
	missing := func(table string, ids ...string) (missing []string, err error) {
		err = e.DB.InTx(background(), nil, func(tx repo.Tx) error {
			missing, err = e.DB.FindMissingRows(background(), tx, table, ids)
			return err
		})
		return missing, err
	}
	for _, table := range []string{"user", "memory", "knowledge"} {
		id, other := e.insert(t, table, row{"id": "An.Id"}), e.insert(t, table, nil)
		got, err := missing(table, id, "an.id", other, "gone", "", "it's", " "+id, "gone")
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"an.id", "gone", "", "it's", " " + id, "gone"}, got)
		got, err = missing(table, id, other)
		require.NoError(t, err)
		require.Empty(t, got)
		got, err = missing(table)
		require.NoError(t, err)
		require.Empty(t, got)
	}
	for _, table := range []string{"note", "no such table", ""} {
		_, err := missing(table, "x")
		require.ErrorContains(t, err, "table "+table)
	}
	e.Unchecked(t, `DROP TABLE memory`)
	_, err := missing("memory", "x")
	require.Equal(t, repo.Environment, repo.KindOf(err))
	require.ErrorContains(t, err, "memory")
	e.Unchecked(t, `CREATE VIEW memory AS SELECT id FROM note WHERE id = 'none'`)
	_, err = missing("memory", "x")
	require.Equal(t, repo.Environment, repo.KindOf(err), "its rows may lie elsewhere")
}

func (e Engine) grace(t testing.TB, d repo.Direction, ids ...string) (known map[string]time.Duration) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		var err error
		known, err = e.DB.ReadGrace(ctx, tx, d, ids)
		require.NoError(t, err)
	})
	return known
}

// graceIsRead: of a direction's own candidates, none of which was first seen in the future.
func graceIsRead(t *testing.T, e Engine) {
	set := func(d repo.Direction, start, end []string) {
		t.Helper()
		e.in(t, func(ctx context.Context, tx repo.Tx) { require.NoError(t, e.DB.SetGrace(ctx, tx, d, start, end)) })
	}
	set(repo.FromCollections, []string{"a", "b", "c"}, nil)
	set(repo.FromPoints, []string{"p/1"}, nil)
	set(repo.FromRows, []string{"row"}, nil)
	e.seenAgo(t, repo.FromCollections, 3*time.Hour, "b")
	e.seenAgo(t, repo.FromCollections, -time.Hour, "c")
	known := e.grace(t, repo.FromCollections, "a", "b", "c", "d", "p/1", "row")
	require.Len(t, known, 2)
	near(t, 0, known["a"], "of a")
	near(t, 3*time.Hour, known["b"], "of b")
	require.Contains(t, e.grace(t, repo.FromPoints, "p/1"), "p/1")
	require.Contains(t, e.grace(t, repo.FromRows, "row", "a"), "row")

	set(repo.FromCollections, []string{"b", "c"}, []string{"a"})
	known = e.grace(t, repo.FromCollections, "a", "b", "c")
	require.Len(t, known, 2)
	near(t, 3*time.Hour, known["b"], "it goes on")
	near(t, 0, known["c"], "it starts anew")
	require.Empty(t, e.grace(t, repo.FromCollections))
	set(repo.FromRows, nil, []string{"b"})
	require.Contains(t, e.grace(t, repo.FromCollections, "b"), "b")
}
