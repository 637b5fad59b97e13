package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// Without its tables and streams a daemon failed for ever, and made neither again.
func TestBesideOthersUninstallIsRefused(t *testing.T) {
	t.Parallel()
	d := install(t, testenv.Vectors(small))
	folder, _ := scratch(t)
	for name, i := range map[string]*installation{
		"a queue in the process": d,
		"a server":               install(t, testenv.Vectors(small)).with(natsURL(startNATS(t), "s3cret")),
		"a folder":               folder,
	} {
		daemon := i.start(t)
		status, _, errs := i.pruned(t, "", "uninstall", "--yes")
		require.Equal(t, exitFailed, status, name)
		require.Contains(t, errs, "still works with this installation", name)
		if name != "a server" { // one that has its queue elsewhere is seen by its work with the folder
			status, _, errs = i.with("PRUNED_DATA_DIR="+t.TempDir()).pruned(t, "", "uninstall", "--yes")
			require.Equal(t, exitFailed, status, name)
			require.Contains(t, errs, "still works with this installation", name)
		}
		require.Zero(t, daemon.stop(t), name)
		i.must(t, "ledger")
		i.must(t, "uninstall", "--yes")
	}
}

// A mark that stayed would be another's to the next installation, and its folder held.
func TestUninstallRemovesItsMarks(t *testing.T) {
	t.Parallel()
	folder, world := scratch(t, "PRUNED_MAX_FRACTION=1")
	for name, i := range map[string]*installation{"PostgreSQL": install(t, testenv.Vectors(small)), "SQLite": folder} {
		i.must(t, "sweep")
		marks := []repo.Mark{{Dir: i.uploads()}}
		if name == "SQLite" {
			marks = append(marks, repo.Mark{Dir: filepath.Join(world.Dir, "vector_db")})
		}
		for _, mark := range marks {
			owner, err := mark.Owner()
			require.NoError(t, err)
			require.NotEmpty(t, owner, name)
		}
		i.must(t, "uninstall", "--yes")
		for _, mark := range marks {
			require.NoFileExists(t, filepath.Join(mark.Dir, ".pruned-installation"), name)
		}
		i.must(t, "sweep") // and holds nothing
		require.NoError(t, marks[0].Set("another"))
		i.must(t, "uninstall", "--yes")
		owner, err := marks[0].Owner()
		require.NoError(t, err)
		require.Equal(t, "another", owner, "another's mark stays")
	}
}

// What nobody knows of any more is told: it stays on the disk.
func TestUninstallTellsWhatStays(t *testing.T) {
	t.Parallel()
	folder, _ := scratch(t, "PRUNED_MAX_FRACTION=1", "PRUNED_TRASH=72h")
	folder.must(t, "run", "--once")
	require.Regexp(t, `^removed .*; \d+ removals of bytes or vectors waited and are forgotten: .*; the folder \S+ is not needed any more\n$`, folder.must(t, "uninstall", "--yes"))
	require.NotContains(t, folder.must(t, "uninstall", "--yes"), "waited")
}
