package demo

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What was made is there, and is not what must be left.
func TestMake(t *testing.T) {
	t.Parallel()
	w, err := Make(t.Context(), t.TempDir(), 10)
	require.NoError(t, err)
	h, err := w.Holdings(t.Context())
	require.NoError(t, err)
	rows, loose := 0, 0
	for _, kind := range w.Kinds {
		if kind.noRow {
			loose += kind.Files
		} else {
			rows += kind.Files
		}
	}
	require.Len(t, h.Rows, rows)
	require.Len(t, w.Files, rows+loose)
	require.Len(t, h.Bytes, rows+2)
	require.Positive(t, h.Size)
	require.Positive(t, h.Chunks)
	err = w.Verify(h, h)
	require.ErrorContains(t, err, "rows of table file are left")
	require.ErrorContains(t, err, "vectors are left")
	require.ErrorContains(t, err, "files of bytes are left")
}
