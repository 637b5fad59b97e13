package sqlite_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// Names that another process was given are learned by the next pass, and by the first
// reading of everything; where nothing differs nobody writes.
func TestNamesOfAnotherProcess(t *testing.T) {
	t.Parallel()
	d := newMigrated(t, "wal")
	giver, learner := open(t, d), open(t, d)
	word, base := "web-search-ab12", uuid.NewString()
	insertMention(t, d, "see "+word)
	unknown := func(found repo.References) int { return len(found.Unknown) }
	look := func() (found repo.References) {
		require.NoError(t, learner.InTx(t.Context(), nil, func(tx repo.Tx) (err error) {
			found, err = learner.FindReferences(t.Context(), tx, []string{word, base})
			return err
		}))
		return found
	}
	require.NoError(t, learner.IndexAll(t.Context(), nil))
	require.NoError(t, giver.SetNames(t.Context(), []string{word, base, base}))
	require.Equal(t, 2, unknown(look()))
	require.NoError(t, learner.IndexChanges(t.Context()))
	found := look()
	require.True(t, found.Unknown[word], "rows that were read may mention it")
	require.False(t, found.Unknown[base])
	require.NoError(t, learner.IndexAll(t.Context(), nil))
	require.Contains(t, look().Referenced, word)

	require.EqualValues(t, 2, d.Count(t, `SELECT count(*) FROM pruned_name`))
	writer, err := d.DB.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = writer.ExecContext(t.Context(), `DELETE FROM note WHERE id = 'none'`)
	require.NoError(t, err)
	require.NoError(t, giver.SetNames(t.Context(), []string{base, word}), "it needs no lock")
	require.NoError(t, writer.Rollback())
	late := open(t, d)
	require.NoError(t, late.IndexAll(t.Context(), nil))
	require.NoError(t, late.InTx(t.Context(), nil, func(tx repo.Tx) error {
		free, err := late.FindUnmentioned(context.Background(), tx, []string{word, base, "web-search-none"})
		require.Equal(t, []string{base}, free)
		return err
	}))
}

// A value is the same text whatever type it was written as.
func TestMissingRowsOfAnyType(t *testing.T) {
	t.Parallel()
	d := newMigrated(t, "wal")
	db := open(t, d)
	d.Exec(t, `INSERT INTO memory (id, user_id, content, created_at, updated_at) VALUES (CAST('a blob' AS BLOB), 'u', 'c', 1, 1), (17, 'u', 'c', 1, 1)`)
	require.NoError(t, db.InTx(t.Context(), nil, func(tx repo.Tx) error {
		missing, err := db.FindMissingRows(t.Context(), tx, "memory", []string{"a blob", "17", "17.0", "x"})
		require.Equal(t, []string{"17.0", "x"}, missing)
		return err
	}))
}
