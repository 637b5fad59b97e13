package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// Times: a column that holds what is no number is told, without what it holds, and
// the rest of the examination goes on.
func TestTimesThatAreNoNumbersAreTold(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	db, err := postgres.Open(t.Context(), postgres.Options{URL: d.URL, Schema: d.Schema})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	require.True(t, examined(t, db, "times").OK)
	testenv.InsertFile(t, d.Pool, testenv.File{ID: testenv.NewID()})
	d.Exec(t, `ALTER TABLE file ALTER COLUMN created_at TYPE text USING 'the first of May'`)
	f := examined(t, db, "times")
	require.False(t, f.OK)
	require.NotContains(t, f.Detail, "May")
	require.Contains(t, f.Remedy, "bigint")
}

// Times: two replicas that mend tombstones after a clock was ahead wait for each other no more
// than they do for what is due.
func TestTimesOfTombstonesAreMendedBesideEachOther(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	due := func(tx repo.Tx) []repo.Tombstone {
		list, err := db.FetchDue(t.Context(), tx, repo.Bytes, 10)
		require.NoError(t, err)
		return list
	}
	inTx(t, db, func(tx repo.Tx) {
		require.NoError(t, db.AddTombstones(t.Context(), tx, []repo.Tombstone{{Kind: repo.Bytes, FileID: "x", Name: "a"}, {Kind: repo.Bytes, FileID: "y", Name: "b"}}))
	})
	d.Exec(t, `UPDATE pruned.tombstone SET due_at = clock_timestamp() + interval '90 days'`)
	inTx(t, db, func(one repo.Tx) {
		require.Len(t, due(one), 2)
		inTx(t, db, func(other repo.Tx) { require.Empty(t, due(other)) })
	})
}
