//go:build model

// Package model holds the protocol as models in Alloy, and what is asked of them.
//
// Its central idea is that a check which cannot fail says nothing: each assertion comes with
// mutations, which do one thing wrong on purpose, and that it must refute. The models tell
// themselves what they leave out.
package model

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// question is whether an assertion holds in every run of a size.
type question struct {
	assertion   string
	mutation    string // what is done wrong; empty: nothing
	strict      bool
	refuted     bool   // there is a run in which it does not hold; so it is with every mutation
	short, long string // sizes
}

var deletions = []question{
	{assertion: "NothingInUseGoes", strict: true, short: "exactly 1 File, 2 Writer, 1 Worker, 10 steps", long: "2 File, 3 Writer, 2 Worker, 14 steps"},
	{assertion: "NothingInUseGoes", strict: true, short: "exactly 1 File, 1 Writer, 2 Worker, 10 steps", long: "exactly 1 File, 2 Writer, 2 Worker, 16 steps"},
	{assertion: "OnlyTheGap", short: "exactly 1 File, 1 Writer, 2 Worker, 10 steps", long: "2 File, 2 Writer, 2 Worker, 14 steps"},
	{assertion: "NoGap", refuted: true, short: "exactly 1 File, 1 Writer, 1 Worker, 10 steps"},
	{assertion: "NothingUnusedStays", short: "exactly 1 File, 1 Writer, 1 Worker, 9 steps", long: "exactly 1 File, 2 Writer, exactly 2 Worker, 12 steps"},
	{assertion: "NothingInUseGoes", strict: true, mutation: "RowsUnlocked", short: "exactly 1 File, 1 Writer, 1 Worker, 10 steps"},
	{assertion: "NothingInUseGoes", strict: true, mutation: "LastLookFirst", short: "exactly 1 File, 1 Writer, 1 Worker, 10 steps"},
	{assertion: "NothingInUseGoes", strict: true, mutation: "RecheckFromFind", short: "exactly 1 File, 1 Writer, 1 Worker, 10 steps"},
	{assertion: "NothingInUseGoes", strict: true, mutation: "WritersOutLate", short: "exactly 1 File, 1 Writer, 1 Worker, 10 steps"},
	{assertion: "NothingInUseGoes", strict: true, mutation: "MarkIsNext", short: "exactly 1 File, 1 Writer, 1 Worker, 12 steps"},
	{assertion: "NothingInUseGoes", strict: true, mutation: "MentionsForgotten", short: "exactly 1 File, 1 Writer, 1 Worker, 17 steps"},
	{assertion: "NothingUnusedStays", mutation: "IndexIsBelieved", short: "exactly 1 File, 1 Writer, 1 Worker, 11 steps"},
	{assertion: "NothingUnusedStays", mutation: "EventsOnce", short: "exactly 1 File, 1 Writer, 1 Worker, 11 steps"},
}

var bytes = []question{
	{assertion: "RowsHaveTheirBytes", short: "exactly 2 File, 2 Tombstone, 1 Reaper, 1 Restorer, 9 steps", long: "3 File, 3 Tombstone, 2 Reaper, 2 Restorer, 12 steps"},
	{assertion: "RowsHaveTheirBytes", short: "exactly 1 File, 2 Tombstone, 2 Reaper, 1 Restorer, 9 steps", long: "2 File, 3 Tombstone, 2 Reaper, 1 Restorer, 14 steps"},
	{assertion: "NoBytesStay", short: "exactly 1 File, 2 Tombstone, 1 Reaper, 1 Restorer, 10 steps", long: "2 File, 3 Tombstone, 2 Reaper, 1 Restorer, 12 steps"},
	{assertion: "RowsHaveTheirBytes", mutation: "BytesInTransaction", short: "exactly 1 File, 2 Tombstone, 1 Reaper, 1 Restorer, 9 steps"},
	{assertion: "RowsHaveTheirBytes", mutation: "CheckedOnce", short: "exactly 1 File, 2 Tombstone, 1 Reaper, 1 Restorer, 9 steps"},
	{assertion: "RowsHaveTheirBytes", mutation: "NothingClaimed", short: "exactly 1 File, 2 Tombstone, 1 Reaper, 1 Restorer, 9 steps"},
	{assertion: "RowsHaveTheirBytes", mutation: "ClaimDoesNotWait", short: "exactly 2 File, 2 Tombstone, 1 Reaper, 1 Restorer, 9 steps"},
	{assertion: "RowsHaveTheirBytes", mutation: "TrashUnseen", short: "exactly 2 File, 2 Tombstone, 1 Reaper, 1 Restorer, 9 steps"},
	{assertion: "NoBytesStay", mutation: "BytesUnlisted", short: "exactly 1 File, 2 Tombstone, 1 Reaper, 1 Restorer, 9 steps"},
}

var readings = []question{
	{assertion: "NothingIsMissed", short: "exactly 2 File, 2 Writer, 1 Worker, 11 steps", long: "2 File, 3 Writer, 1 Worker, 12 steps"},
	{assertion: "NothingIsMissed", short: "exactly 2 File, 1 Writer, 2 Worker, 12 steps", long: "exactly 2 File, 2 Writer, 2 Worker, 15 steps"},
	{assertion: "NothingIsMissed", short: "exactly 1 File, 1 Writer, 1 Worker, 14 steps"},
	{assertion: "NothingIsMissed", mutation: "ReadToEnd", short: "exactly 1 File, 1 Writer, 1 Worker, 10 steps"},
	{assertion: "NothingIsMissed", mutation: "DeadForgotten", short: "exactly 1 File, 1 Writer, 1 Worker, 11 steps"},
	{assertion: "NothingIsMissed", mutation: "DeletedCounts", short: "exactly 1 File, 1 Writer, 1 Worker, 11 steps"},
	{assertion: "NothingIsMissed", mutation: "MarksIgnored", short: "exactly 2 File, 1 Writer, 2 Worker, 11 steps"},
	{assertion: "NothingIsMissed", mutation: "NotReadAgain", short: "exactly 1 File, 1 Writer, 1 Worker, 10 steps"},
	{assertion: "NothingIsMissed", mutation: "NumberIgnored", short: "exactly 2 File, 1 Writer, 1 Worker, 13 steps"},
	{assertion: "NothingIsMissed", mutation: "QuietCounts", short: "exactly 1 File, 1 Writer, 1 Worker, 12 steps"},
	{assertion: "NothingIsMissed", mutation: "QuietFromLast", short: "exactly 1 File, 1 Writer, 1 Worker, 11 steps"},
}

func TestModelOfDeletions(t *testing.T) { ask(t, "deletion", deletions, "Strict") }
func TestModelOfBytes(t *testing.T)     { ask(t, "bytes", bytes, "") }
func TestModelOfReadings(t *testing.T)  { ask(t, "readings", readings, "") }

// command is a question as Alloy reads it. A mutation is there alone.
func (q question) command(name, setting, size string) string {
	mutations, given := 0, "no Mutation"
	if q.mutation != "" {
		mutations, given = 1, "some "+q.mutation
	}
	if setting != "" {
		size += fmt.Sprintf(", exactly %d %s", map[bool]int{true: 1}[q.strict], setting)
	}
	return fmt.Sprintf("check %s { %s implies %s } for 3 but %s, exactly %d Mutation\n", name, given, q.assertion, size, mutations)
}

// ask puts questions to a model; PRUNED_MODEL=long takes the larger sizes.
func ask(t *testing.T, model string, questions []question, setting string) {
	text, err := os.ReadFile(model + ".als")
	require.NoError(t, err)
	names := make([]string, len(questions))
	for i, q := range questions {
		size := q.short
		if os.Getenv("PRUNED_MODEL") == "long" && q.long != "" {
			size = q.long
		}
		names[i] = fmt.Sprintf("%s%s%d", q.assertion, q.mutation, i)
		text = append(text, q.command(names[i], setting, size)...)
	}
	answers := solve(t, model, text)
	for i, q := range questions {
		t.Run(names[i], func(t *testing.T) {
			want := map[bool]string{true: "SAT", false: "UNSAT"}[q.refuted || q.mutation != ""]
			require.Equal(t, want, answers[names[i]], "SAT: there is a run in which it does not hold; Alloy shows it")
		})
	}
}

var answerLine = regexp.MustCompile(`(?m)^\d+\. check (\w+) .*?((?:UN)?SAT)\s*$`)

// solve returns the answer to each command, SAT or UNSAT. The solver lies in Alloy's own
// archive.
func solve(t *testing.T, model string, text []byte) map[string]string {
	dir := t.TempDir()
	path := filepath.Join(dir, model+".als")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	cmd := exec.CommandContext(t.Context(), "java", "-jar", os.Getenv("PRUNED_ALLOY"), "exec", "-c", "*", "-s", "glucose", "-o", filepath.Join(dir, "out"), path)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Run(), &out)
	answers := map[string]string{}
	for _, line := range answerLine.FindAllStringSubmatch(out.String(), -1) {
		answers[line[1]] = line[2]
	}
	return answers
}
