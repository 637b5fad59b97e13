package repotest

import (
	"context"

	"pruned/repo"
)

// MigrateTemplate makes our tables in a database that is copied for each test: to make them
// for each takes longer than most tests. It remembers no place, so that a copy is an
// installation of its own.
func MigrateTemplate(ctx context.Context, db interface {
	repo.Transactor
	Migrate(ctx context.Context) error
}) error {
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	return db.InTx(ctx, nil, func(tx repo.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM pruned.place`)
		return err
	})
}
