package repotest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

func (e Engine) entomb(t testing.TB, tombstones ...repo.Tombstone) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) { require.NoError(t, e.DB.AddTombstones(ctx, tx, tombstones)) })
}

func (e Engine) due(t testing.TB, kind string, most int) (due []repo.Tombstone) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		var err error
		due, err = e.DB.FetchDue(ctx, tx, kind, most)
		require.NoError(t, err)
	})
	return due
}

func (e Engine) nextDue(t testing.TB) (int64, time.Duration) {
	t.Helper()
	return e.backlog(t, repo.Vectors, repo.Bytes)
}

// backlog is how many tombstones of some kinds wait, and how long until the first is due.
func (e Engine) backlog(t testing.TB, kinds ...string) (int64, time.Duration) {
	t.Helper()
	b, err := e.DB.Backlog(background(), kinds...)
	require.NoError(t, err)
	return b.Count, b.DueIn
}

// postpone makes one tombstone due again.
func postpone(seq int64, delay time.Duration, reason string) repo.Settlement {
	return repo.Settlement{Retry: []repo.Retry{{Seq: seq, Delay: delay, Reason: reason}}}
}

func fileIDs(tombstones []repo.Tombstone) []string {
	ids := []string{}
	for _, s := range tombstones {
		ids = append(ids, s.FileID)
	}
	return ids
}

func tombstonesAreDue(t *testing.T, e Engine) {
	n, _ := e.nextDue(t)
	require.Zero(t, n)
	require.Empty(t, e.due(t, repo.Bytes, 10))

	e.entomb(t, repo.Tombstone{Kind: repo.Bytes, FileID: "later", Name: "later.pdf", Delay: time.Hour})
	n, in := e.nextDue(t)
	require.EqualValues(t, 1, n)
	near(t, time.Hour, in, "until the first is due")
	require.Empty(t, e.due(t, repo.Bytes, 10))

	e.entomb(t, repo.Tombstone{Kind: repo.Vectors, FileID: "v", Trace: "00-1-2-01"})
	require.Equal(t, "00-1-2-01", e.due(t, repo.Vectors, 1)[0].Trace, "the span goes with it")
	e.entomb(t, repo.Tombstone{Kind: repo.Bytes, FileID: "seen", Age: time.Hour})
	seen := e.due(t, repo.Bytes, 1)[0]
	near(t, time.Hour, seen.Age, "since its bytes were seen")
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.Settle(ctx, tx, repo.Settlement{Done: []int64{seen.Seq}}))
	})
	for _, id := range []string{"first", "second", "third"} {
		e.entomb(t, repo.Tombstone{Kind: repo.Bytes, FileID: id, Name: id + ".pdf"})
	}
	n, in = e.nextDue(t)
	require.EqualValues(t, 5, n)
	require.LessOrEqual(t, in, time.Duration(0))
	require.Equal(t, []string{"v"}, fileIDs(e.due(t, repo.Vectors, 10)))
	for kind, want := range map[string]int64{repo.Vectors: 1, repo.Bytes: 4} {
		n, _ := e.backlog(t, kind)
		require.Equal(t, want, n)
	}
	n, _ = e.backlog(t)
	require.Zero(t, n, "of no kind")
	require.Equal(t, []string{"first", "second"}, fileIDs(e.due(t, repo.Bytes, 2)))
	due := e.due(t, repo.Bytes, 10)
	require.Equal(t, []string{"first", "second", "third"}, fileIDs(due))
	require.Equal(t, "first.pdf", due[0].Name)
	require.Equal(t, repo.Bytes, due[0].Kind)

	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.Settle(ctx, tx, repo.Settlement{Done: []int64{due[0].Seq, due[2].Seq}}))
	})
	require.Equal(t, []string{"second"}, fileIDs(e.due(t, repo.Bytes, 10)))
}

// entombedAreTold: the bytes of a file that wait, due or not.
func entombedAreTold(t *testing.T, e Engine) {
	e.entomb(t,
		repo.Tombstone{Kind: repo.Bytes, FileID: "a", Name: "a_1.pdf"},
		repo.Tombstone{Kind: repo.Bytes, FileID: "a", Name: "a_2.pdf", Delay: time.Hour},
		repo.Tombstone{Kind: repo.Vectors, FileID: "a"},
		repo.Tombstone{Kind: repo.Bytes, FileID: "b", Name: "b.pdf"},
		repo.Tombstone{Kind: repo.Vectors, FileID: "c"},
	)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		names, err := e.DB.PendingBlobs(ctx, tx, []string{"a", "c", "d"})
		require.NoError(t, err)
		require.Len(t, names, 1)
		require.ElementsMatch(t, []string{"a_1.pdf", "a_2.pdf"}, names["a"])
	})
}

func postponedWaits(t *testing.T, e Engine) {
	e.entomb(t, repo.Tombstone{Kind: repo.Bytes, FileID: "a", Name: "a"})
	postpone := func(delay time.Duration) {
		t.Helper()
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			due, err := e.DB.FetchDue(ctx, tx, repo.Bytes, 1)
			require.NoError(t, err)
			require.NoError(t, e.DB.Settle(ctx, tx, postpone(due[0].Seq, delay, "the store is away")))
		})
	}
	postpone(0)
	require.Equal(t, 1, e.due(t, repo.Bytes, 1)[0].Attempts)
	postpone(time.Hour)
	require.Empty(t, e.due(t, repo.Bytes, 1))
	n, in := e.nextDue(t)
	require.EqualValues(t, 1, n)
	near(t, time.Hour, in, "until it is due again")
}

// tombstonesAreHeld: each is carried out by one process, and by another if that
// one fails.
func tombstonesAreHeld(t *testing.T, e Engine) {
	e.entomb(t, repo.Tombstone{Kind: repo.Bytes, FileID: "a"}, repo.Tombstone{Kind: repo.Bytes, FileID: "b"})
	require.ErrorIs(t, e.DB.InTx(background(), nil, func(tx repo.Tx) error {
		due, err := e.DB.FetchDue(background(), tx, repo.Bytes, 1)
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, fileIDs(due))
		require.Equal(t, []string{"b"}, fileIDs(e.due(t, repo.Bytes, 10)))
		require.NoError(t, e.DB.Settle(background(), tx, repo.Settlement{Done: []int64{due[0].Seq}}))
		return errRefused
	}), errRefused)
	require.Equal(t, []string{"a", "b"}, fileIDs(e.due(t, repo.Bytes, 10)))
}

// livingAreTold: a row with the id, or one whose path has that base name, since
// plugins share paths.
func livingAreTold(t *testing.T, e Engine) {
	back := e.file(t, nil)
	e.file(t, row{"path": "s3://bucket/prefix/shared.pdf"})
	e.file(t, row{"path": "bare.pdf"})
	e.file(t, row{"path": nil})
	e.file(t, row{"path": ""})
	tombstones := []repo.Tombstone{
		{Kind: repo.Bytes, FileID: back, Name: "x.pdf"},
		{Kind: repo.Vectors, FileID: back},
		{Kind: repo.Bytes, FileID: "gone-1", Name: "shared.pdf"},
		{Kind: repo.Bytes, FileID: "gone-2", Name: "bare.pdf"},
		{Kind: repo.Bytes, FileID: "gone-3", Name: "hared.pdf"},
		{Kind: repo.Bytes, FileID: "gone-4", Name: "other.pdf"},
		{Kind: repo.Vectors, FileID: "gone-5"},
		{Kind: repo.Bytes, FileID: "gone-6", Name: back + "_report.pdf"},
		{Kind: repo.Bytes, FileID: "gone-7", Name: "late.pdf"},
		{Kind: repo.Bytes, FileID: "gone-8", Name: "team/shared.pdf"}, // a key of a bucket
		{Kind: repo.Bytes, FileID: "gone-9", Name: "team/" + back + "_report.pdf"},
		{Kind: repo.Bytes, FileID: "gone-10", Name: "shared.pdf/other"},
	}
	for i := range tombstones {
		tombstones[i].Seq = int64(i)
	}
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		living, err := e.DB.StillReferenced(ctx, tx, tombstones)
		require.NoError(t, err)
		require.Equal(t, map[int64]bool{0: true, 1: true, 2: true, 3: true, 7: true, 9: true, 10: true}, living)
	})
	// Rows that came since are seen at once.
	e.file(t, row{"path": "late.pdf"})
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		living, err := e.DB.StillReferenced(ctx, tx, tombstones)
		require.NoError(t, err)
		require.Equal(t, map[int64]bool{0: true, 1: true, 2: true, 3: true, 7: true, 8: true, 9: true, 10: true}, living)
	})
}
