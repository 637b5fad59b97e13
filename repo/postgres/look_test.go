package postgres_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/repotest"
)

func TestLookSmoke(t *testing.T) {
	t.Parallel()
	d := repotest.New(t)
	db := open(t, d)
	a, b := uuid.NewString(), uuid.NewString()
	for _, id := range []string{a, b} {
		d.Exec(t, `INSERT INTO file (id, user_id, filename, meta, data, created_at, updated_at) VALUES ($1, 'u', 'x.txt', '{}', '{}', 1000, 1000)`, id)
	}
	require.NoError(t, db.Refresh(t.Context(), nil))
	require.Empty(t, look(t, db, a, b).Referenced)
	require.Empty(t, look(t, db, a, b).Unknown)
	d.Exec(t, `INSERT INTO note (id, user_id, title, data, created_at, updated_at) VALUES ('n1', 'u', 't', $1, 1, 1)`, `{"x":"`+a+`"}`)
	require.Contains(t, look(t, db, a, b).Referenced, a)
	require.NoError(t, db.Refresh(t.Context(), nil))
	require.Contains(t, look(t, db, a, b).Referenced, a)
	require.NotContains(t, look(t, db, a, b).Referenced, b)
	d.Exec(t, `DELETE FROM note`)
	require.NotContains(t, look(t, db, a, b).Referenced, a)
}
