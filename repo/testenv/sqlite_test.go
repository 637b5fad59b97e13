package testenv_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

func TestSQLiteHasTheApplicationsSchema(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLite(t)
	require.EqualValues(t, 1, d.Count(t, `SELECT count(*) FROM alembic_version`))
	require.Zero(t, d.Count(t, `SELECT count(*) FROM file`))
	require.EqualValues(t, 1, d.Exec(t, `INSERT INTO file (id, user_id, filename, created_at) VALUES ($1, 'u', $2, 1)`, "a", "b"))
	require.EqualValues(t, 1, d.Count(t, `SELECT count(*) FROM file WHERE id = $1 AND filename = $2`, "a", "b"))
}
