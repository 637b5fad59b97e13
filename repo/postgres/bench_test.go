package postgres_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/repotest"
)

// BenchmarkLook is one look for 500 files in use.
func BenchmarkLook(b *testing.B) {
	d := repotest.New(b)
	db := open(b, d)
	var ids []string
	for range 500 {
		id := uuid.NewString()
		ids = append(ids, id)
		d.Exec(b, `INSERT INTO file (id, user_id, filename, meta, data, created_at, updated_at) VALUES ($1, 'u', 'x.txt', '{}', '{}', 1000, 1000)`, id)
		d.Exec(b, `INSERT INTO note (id, user_id, title, data, created_at, updated_at) VALUES ('n1' || $2::text, 'u', 't', $1, 1, 1)`, `{"x":"`+id+`"}`, id)
	}
	require.NoError(b, db.Refresh(b.Context(), nil))
	d.Exec(b, `VACUUM ANALYZE`)
	for b.Loop() {
		require.NoError(b, db.InTx(context.Background(), nil, func(tx repo.Tx) error {
			_, err := db.Look(context.Background(), tx, ids)
			return err
		}))
	}
}
