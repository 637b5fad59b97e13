package pgvector_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/trace"
	"pruned/vectors/vectorstest"
)

// Of an encrypted table only the chunks of a file are told, and that the rest is not
// searched; a plain one is the database's to search.
func TestTrace(t *testing.T) {
	t.Parallel()
	file := uuid.NewString()
	text, err := trace.NewText(file)
	require.NoError(t, err)
	for _, crypto := range []string{"", key} {
		i := install(t, testenv.VectorOptions{Crypto: crypto})
		i.insert(t, vectorstest.Chunk{ID: "1", Collection: vectorstest.Base, FileID: file}, vectorstest.Chunk{ID: "2", Collection: vectorstest.Base, FileID: file})
		var found []trace.Place
		s := &trace.Search{Text: text, Each: func(p trace.Place) error { found = append(found, p); return nil }}
		require.NoError(t, newStore(t, i.URL, crypto != "").Trace(t.Context(), s))
		if crypto == "" {
			require.Empty(t, found)
			require.Empty(t, s.Gaps)
			continue
		}
		require.Equal(t, []trace.Place{{Store: "pgvector", Table: vectorstest.Base, Column: "file_id", Count: 2}}, found)
		require.Len(t, s.Gaps, 1)
	}
}
