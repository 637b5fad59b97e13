package repotest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// reportCases are about what is summed up for people.
var reportCases = map[string]func(*testing.T, Engine){
	"reports sum up the ledger":     reportSumsLedger,
	"reports sum up the candidates": reportSumsCandidates,
}

func reportSumsLedger(t *testing.T, e Engine) {
	has, err := e.DB.HasOwnTables(background())
	require.NoError(t, err)
	require.True(t, has)
	none, err := e.DB.SumLedger(background())
	require.NoError(t, err)
	require.Equal(t, repo.LedgerSum{}, none)

	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.RecordEntries(ctx, tx, []repo.Entry{
			{FileID: "a", Outcome: "deleted"}, {FileID: "b", Outcome: "deleted"}, {FileID: "c", Outcome: "deleted"}, {FileID: "d", Outcome: "gone"},
			{FileID: "e", Outcome: "restored"}, // which freed nothing
		}))
	})
	now := time.Now()
	for id, ago := range map[string]time.Duration{"a": 10 * day, "b": 3 * time.Hour, "c": 30 * time.Minute} {
		e.Exec(t, `UPDATE `+e.Own("ledger")+` SET at = $1 WHERE file_id = $2`, e.Moment(now.Add(-ago)), id)
	}
	sum, err := e.DB.SumLedger(background())
	require.NoError(t, err)
	require.WithinDuration(t, now.Add(-10*day), sum.Since, time.Second)
	sum.Since = time.Time{}
	require.Equal(t, repo.LedgerSum{Deleted: 3, Rest: 1, Minute: 1, Hour: 2, Day: 3}, sum)
}

func reportSumsCandidates(t *testing.T, e Engine) {
	none, err := e.DB.SumCandidates(background())
	require.NoError(t, err)
	require.Empty(t, none)

	e.file(t, nil)
	e.file(t, nil)
	n := e.begin(t)
	e.mark(t, n, repo.FromVectors, repo.Listed{FileID: "x", Chunks: 3}, repo.Listed{FileID: "y", Chunks: 4})
	e.mark(t, n, repo.FromBytes, repo.Listed{FileID: "x", Name: "x_a", Size: 10})
	e.Exec(t, `UPDATE `+e.Own("candidate")+` SET first_seen = $1 WHERE file_id = $2 AND direction = $3`, e.Moment(time.Now().Add(-time.Hour)), "x", "bytes")
	sums, err := e.DB.SumCandidates(background())
	require.NoError(t, err)
	for i := range sums {
		want := time.Duration(0)
		if sums[i].Direction == repo.FromBytes {
			want = time.Hour
		}
		require.InDelta(t, want.Seconds(), sums[i].Oldest.Seconds(), 60)
		sums[i].Oldest = 0
	}
	require.ElementsMatch(t, []repo.CandidateSum{
		{Direction: repo.FromRows, Count: 2}, {Direction: repo.FromVectors, Count: 2, Chunks: 7}, {Direction: repo.FromBytes, Count: 1, Size: 10},
	}, sums)
}
