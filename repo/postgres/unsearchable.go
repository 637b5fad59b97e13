package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// Unsearchable counts the files that are always kept.
func (db *DB) Unsearchable(ctx context.Context) (u repo.Unsearchable, err error) {
	err = db.read(ctx, func(t pgx.Tx) error {
		rows, _ := t.Query(ctx, db.sql(`SELECT id FROM %s WHERE id !~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$' ORDER BY id`))
		var id string
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
			u.Add(id)
			return nil
		})
		return err
	})
	return u, pgerr.Translate(err, "count the files whose ids cannot be searched for")
}
