package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A real bash completes by the script. It needs no settings.
func TestCompletion(t *testing.T) {
	t.Parallel()
	script := bare().must(t, "completion", "bash")
	complete := func(line string) []string {
		t.Helper()
		words := strings.Split(line, " ")
		run := exec.CommandContext(t.Context(), "bash", "--norc", "-c", script+`
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pruned; printf '%s\n' "${COMPREPLY[@]}"`, "bash")
		run.Args = append(run.Args, words...)
		out, err := run.CombinedOutput()
		require.NoError(t, err, string(out))
		return strings.Fields(string(out))
	}
	require.Equal(t, []string{"trace", "trash"}, complete("pruned tra"))
	require.Equal(t, []string{"list", "empty"}, complete("pruned trash "))
	require.Equal(t, []string{"list"}, complete("pruned -v --output json trash l"))
	require.Equal(t, []string{"--older-than"}, complete("pruned trash empty --older"))
	require.Equal(t, []string{"--dry-run"}, complete("pruned sweep --dry-"))
	require.Equal(t, []string{"json"}, complete("pruned ledger --output j"))
	require.Equal(t, []string{"size"}, complete("pruned sweep --sort s"))
	require.Empty(t, complete("pruned trash list --confirm"))
	require.Contains(t, bare().must(t, "completion", "zsh"), "bashcompinit\n"+script)
	fish := bare().must(t, "completion", "fish")
	require.Contains(t, fish, "complete -c pruned -n '__fish_seen_subcommand_from trash; and not __fish_seen_subcommand_from list empty' -f -a 'list empty'\n")
	require.Contains(t, fish, "-n '__fish_seen_subcommand_from trash; and __fish_seen_subcommand_from empty' -l older-than")
	status, _, errs := bare().pruned(t, "", "completion", "tcsh")
	require.Equal(t, exitUsage, status)
	require.Contains(t, errs, "tcsh")
}
