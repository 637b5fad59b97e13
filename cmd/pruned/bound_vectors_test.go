package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// requireRemovedOnceBound is what holds of a server of vectors that others may use: nothing
// goes until somebody has said that it is this installation's; then vectors go with their rows,
// and those of which no row is left. files are those of which the server has chunks.
func (i *installation) requireRemovedOnceBound(t *testing.T, seeded *testenv.Seeded, files func() []string) {
	t.Helper()
	all := files()
	require.Len(t, all, len(seeded.InUse)+len(seeded.Orphans)+1, "one is loose")
	i.publish(t, seeded.Orphans...)
	require.Equal(t, len(seeded.Orphans), i.drain(t).Deleted)
	require.Equal(t, all, files())
	require.Contains(t, i.must(t, "status"), "not bound to this installation yet: nothing in it is removed before")

	held := i.sweep(t, exitHeld)
	require.Contains(t, fmt.Sprint(held.Holds), "first sweep of a store that others may use")
	i.sweep(t, exitDone, "--confirm", held.ID)
	i.drain(t)
	require.Equal(t, sorted(seeded.InUse...), files())
	require.Empty(t, i.sweep(t, exitDone).ids())
}
