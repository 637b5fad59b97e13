package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

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
