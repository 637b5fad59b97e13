package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// What somebody keeps is no orphan to anything, until that is taken back.
func TestKeep(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MAX_FRACTION=1")
	seeded := i.seed(t, 20, 4)
	ids := seeded.Orphans
	require.Equal(t, "none\n", i.must(t, "keep", "list"))
	require.Regexp(t, `\A`+ids[0]+` +kept until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n`+ids[1]+` +kept until .+\n\z`,
		i.must(t, "keep", ids[0], ids[1], "--for", "90d", "--note", "a lawsuit"))
	require.Regexp(t, ` +kept for ever\n\z`, i.must(t, "keep", ids[2]))
	list := i.must(t, "keep", "list")
	require.Regexp(t, `\A3 +kept`, list)
	require.Regexp(t, `(?m) 90d +\S+.* `+ids[0]+` +a lawsuit$`, list)
	require.Regexp(t, `(?m) never +\S+.* `+ids[2], list)
	require.Equal(t, ids[:3], strings.Fields(i.must(t, "keep", "list", "-o", "name")))
	require.Equal(t, "a lawsuit", ask[[]map[string]any](t, i, "keep", "list")[0]["note"])

	explained := ask[map[string]any](t, i, "explain", ids[0])
	require.Equal(t, "kept", explained["verdict"])
	require.Equal(t, "a lawsuit", explained["keep"].(map[string]any)["note"])
	require.Regexp(t, `(?m)^reference +somebody keeps it .* until .+: a lawsuit$`, i.must(t, "explain", ids[0]))
	require.Equal(t, ids[3:], i.sweep(t, exitDone, "--dry-run").ids())
	i.publish(t, ids...)
	summary := i.drain(t)
	require.Equal(t, 1, summary.Deleted)
	require.Equal(t, 3, summary.Kept)
	require.Equal(t, 3, i.left(t, ids...).rows)

	require.Equal(t, "removed 2\n", i.must(t, "keep", "remove", ids[0], ids[2]))
	status, _, errs := i.pruned(t, "", "keep", "remove", ids[0])
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "was not kept")
	require.ElementsMatch(t, sorted(ids[0], ids[2]), i.sweep(t, exitDone).ids())
	require.Equal(t, 2, i.drain(t).Deleted)
	require.Equal(t, 1, i.left(t, ids...).rows)
	i.must(t, "uninstall", "--yes")
}

// What cannot be kept is told, with what can be done about it.
func TestKeepThatIsRefused(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=1", "PRUNED_TRASH=72h")
	i.sweep(t, exitDone)
	require.Positive(t, i.drain(t).Deleted)
	id := ask[[]map[string]any](t, i, "trash", "list")[0]["file_id"].(string)
	living := holdings(t, world).Rows[0]
	status, out, errs := i.pruned(t, "", "keep", living, id, "nobody")
	require.Equal(t, exitFailed, status)
	require.Regexp(t, living+` +kept for ever`, out)
	require.Regexp(t, id+" +refused: it was deleted; until .+ `pruned restore --keep "+id+"` takes it back", out)
	require.Regexp(t, `nobody +refused: it has no row`, out)
	require.Contains(t, errs, "not everything is kept: 2 of 3 were refused")

	i.must(t, "restore", "--keep", "--for", "30d", "--note", "needed", id)
	require.Equal(t, "needed", ask[map[string]any](t, i, "explain", id)["keep"].(map[string]any)["note"])
	require.NotContains(t, i.sweep(t, exitDone, "--dry-run").ids(), id)
	for want, args := range map[string][]string{
		"wanted --keep as well":              {"restore", id, "--for", "1h"},
		"wanted a duration such as 90d":      {"keep", id, "--for", "soon"},
		"--for: \"36501d\": wanted":          {"keep", id, "--for", "36501d"},
		"--note: wanted valid UTF-8":         {"keep", id, "--note", "\xff"},
		"keep add has no dry run":            {"keep", id, "--dry-run"},
		"lists no files":                     {"keep", id, "-o", "wide"},
		"wanted a text that is not empty":    {"keep", ""},
		"expected \"<id> ...\"":              {"keep", "remove"},
		"id \"\": subject is \"\", wanted a": {"keep", ""},
	} {
		status, _, errs := i.pruned(t, "", args...)
		require.Equal(t, exitUsage, status, args)
		require.Contains(t, errs, want)
	}
	i.must(t, "uninstall", "--yes")
	require.Equal(t, "none\n", i.must(t, "keep", "list"))
}
