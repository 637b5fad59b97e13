package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// A schema is another installation's if it has both tables, whoever owns it.
func TestOwnershipNeighboursInTheSameDatabase(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	neighbours := func() (found []string) {
		require.NoError(t, db.InTx(context.Background(), nil, func(tx repo.Tx) (err error) {
			found, err = db.ListNeighbours(context.Background(), tx)
			return err
		}))
		return found
	}
	require.Empty(t, neighbours())
	for _, sql := range []string{
		`CREATE SCHEMA b`, `CREATE TABLE b.file (id text)`,
		`CREATE SCHEMA other`, `CREATE TABLE other.alembic_version (version_num text)`, `CREATE VIEW other.file AS SELECT 1`,
	} {
		d.Exec(t, sql)
	}
	require.Empty(t, neighbours())
	d.Exec(t, `CREATE TABLE b.alembic_version (version_num text)`)
	require.Equal(t, []string{"b"}, neighbours())
}
