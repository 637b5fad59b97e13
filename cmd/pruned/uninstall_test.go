package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/repotest"
)

// Without its tables and streams a daemon failed for ever, and made neither again.
func TestBesideOthersUninstallIsRefused(t *testing.T) {
	t.Parallel()
	d := install(t, repotest.Vectors(small))
	folder, _ := scratch(t)
	for name, i := range map[string]*installation{
		"a queue in the process": d,
		"a server":               install(t, repotest.Vectors(small)).with(natsURL(startNATS(t), "s3cret")),
		"a folder":               folder,
	} {
		daemon := i.start(t)
		status, _, errs := i.pruned(t, "", "uninstall", "--yes")
		require.Equal(t, exitFailed, status, name)
		require.Contains(t, errs, "still works with this installation", name)
		require.Zero(t, daemon.stop(t), name)
		i.must(t, "ledger")
		i.must(t, "uninstall", "--yes")
	}
}
