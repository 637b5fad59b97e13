package vectorstest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/trace"
)

// Traced is what a store said of a text.
type Traced struct {
	Places []string // table, row, column
	Gaps   []string // names of what it could not search
}

// Trace asks a store for all places of a text. Something is searched in any case.
func Trace(t testing.TB, store trace.Searcher, id string) (found Traced) {
	t.Helper()
	text, err := trace.NewText(id)
	require.NoError(t, err)
	s := &trace.Search{Text: text, Progress: func(string, int64, int64) {}, Each: func(p trace.Place) error {
		found.Places = append(found.Places, fmt.Sprintf("%s %s %s", p.Table, p.Row, p.Column))
		return nil
	}}
	require.NoError(t, store.Trace(t.Context(), s))
	require.NotEmpty(t, s.Searched)
	for _, gap := range s.Gaps {
		found.Gaps = append(found.Gaps, gap.Name)
	}
	return found
}
