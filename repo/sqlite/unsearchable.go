package sqlite

import (
	"context"

	"pruned/repo"
)

// Unsearchable counts the files that are always kept.
func (db *DB) Unsearchable(ctx context.Context) (u repo.Unsearchable, err error) {
	var id string
	err = each(ctx, db.pool, `SELECT CAST(id AS TEXT) FROM file WHERE id IS NOT NULL AND CAST(id AS TEXT) NOT GLOB '????????-????-????-????-????????????' ORDER BY id`,
		nil, []any{&id}, func() error {
			u.Add(id)
			return nil
		})
	return u, translate(err, "count the files whose ids cannot be searched for")
}
