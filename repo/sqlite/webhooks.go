package sqlite

import (
	"context"

	"pruned/repo/openwebui"
)

// Webhooks are the addresses of the enabled webhooks that the application sends
// its events to. A revision that keeps its settings otherwise has none.
func (db *DB) Webhooks(ctx context.Context) ([]string, error) {
	var rows bool
	_, err := one(ctx, db.pool, `SELECT count(*) = 2 FROM pragma_table_info('config') WHERE name IN ('key', 'value')`, nil, &rows)
	if err != nil || !rows {
		return nil, translate(err, "look for the application's settings")
	}
	var value string
	_, err = one(ctx, db.pool, `SELECT coalesce((SELECT CAST(value AS TEXT) FROM config WHERE key = ?1), '')`, []any{openwebui.WebhooksKey}, &value)
	return openwebui.Webhooks(value), translate(err, "read the application's webhooks")
}
