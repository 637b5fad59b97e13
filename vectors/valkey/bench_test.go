package valkey_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/vectorstest"
)

// BenchmarkRemove removes files of ten chunks each from ten knowledge bases, beside the same
// by what the application does: what its index finds is deleted, and nothing is looked at.
// FILES=10000 unless it is set. What the server takes for it says the same on a busy machine.
func BenchmarkRemove(b *testing.B) {
	for b.Loop() {
		ids, chunks := vectorstest.MakeRemovals(b)
		ours, theirs := newAPI(b, testenv.StartValkey(b)), newAPI(b, testenv.StartValkey(b))
		ours.insert(b, chunks...)
		theirs.insert(b, chunks...)
		before := [2]float64{ours.cpu(b), theirs.cpu(b)}
		store := ours.store(b)
		vectorstest.CompareRemovals(b, ids, store, func(some []string) { theirs.deleteFiles(b, some) })
		b.ReportMetric(ours.cpu(b)-before[0], "server-CPU-s")
		b.ReportMetric(theirs.cpu(b)-before[1], "bulk-server-CPU-s")
		require.Empty(b, ours.keys(b))
		require.Empty(b, theirs.keys(b))
	}
}

// deleteFiles deletes what each index finds of some files, as the application does for one.
func (a *api) deleteFiles(t testing.TB, files []string) {
	t.Helper()
	var ids []string
	for _, one := range files {
		ids = append(ids, strings.ReplaceAll(one, "-", `\-`))
	}
	for _, collection := range a.indexes(t) {
		query := "@file_id:{" + strings.Join(ids, "|") + "}"
		answer, err := redis.Values(a.do(t, []any{"FT.SEARCH", "idx:" + a.prefix + ":" + collection, query, "NOCONTENT", "LIMIT", "0", "10000"})[0], nil)
		require.NoError(t, err)
		if keys := answer[1:]; len(keys) > 0 {
			a.do(t, append([]any{"DEL"}, keys...))
		}
	}
}

// cpu is what the server has taken so far, in seconds.
func (a *api) cpu(t testing.TB) (seconds float64) {
	t.Helper()
	text, err := redis.String(a.do(t, []any{"INFO", "cpu"})[0], nil)
	require.NoError(t, err)
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_sys" || name == "used_cpu_user" {
			one, err := strconv.ParseFloat(value, 64)
			require.NoError(t, err)
			seconds += one
		}
	}
	return seconds
}
