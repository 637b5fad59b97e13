package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// Short commands log what they do only when they are asked to; what works for long does,
// and says that it stops.
func TestShortCommandsAreQuiet(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	file := testenv.NewFile(t, i.Pool)
	_, _, errs := i.pruned(t, "", "publish", file)
	require.Empty(t, errs)
	_, _, errs = i.with("PRUNED_STREAM=OTHER").pruned(t, "", "publish", "-v", file)
	require.Contains(t, errs, "stream created")
	_, _, errs = i.pruned(t, "", "sweep", "--dry-run")
	require.NotContains(t, errs, `"level":"info"`)

	d := i.start(t)
	require.NotContains(t, d.errs.String(), "stopping")
	require.Zero(t, d.stop(t))
	require.Contains(t, d.errs.String(), "stopping: what is under way is finished or rolled back first")
	require.Contains(t, lastLine(d.errs.String()), `"stopped"`)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// A dry drain of nothing names the command that shows what nothing uses.
func TestDryDrainOfNothingSaysSo(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	file := testenv.NewFile(t, i.Pool)
	require.Equal(t, "nothing waits in the queue: `pruned sweep --dry-run` shows what nothing uses\n", i.must(t, "run", "--dry-run", "--drain"))
	require.Zero(t, i.drain(t, "--dry-run").Events)
	i.publish(t, file)
	require.Contains(t, i.must(t, "run", "--dry-run", "--drain"), "  deleted")
}
