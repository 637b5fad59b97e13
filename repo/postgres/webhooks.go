package postgres

import (
	"context"

	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
)

// Webhooks are the addresses of the enabled webhooks that the application sends
// its events to. A revision that keeps its settings otherwise has none.
func (db *DB) Webhooks(ctx context.Context) (urls []string, err error) {
	var rows bool
	err = db.readRow(ctx, `SELECT count(*) = 2 FROM pg_attribute
		WHERE attrelid = to_regclass($1) AND attname IN ('key', 'value') AND NOT attisdropped`, []any{db.table("config")}, &rows)
	if err != nil || !rows {
		return nil, pgerr.Translate(err, "look for the application's settings")
	}
	var value string
	err = db.readRow(ctx, `SELECT coalesce((SELECT value::text FROM `+db.table("config")+` WHERE key = $1::text), '')`, []any{openwebui.WebhooksKey}, &value)
	if err != nil {
		return nil, pgerr.Translate(err, "read the application's webhooks")
	}
	return openwebui.Webhooks(value), nil
}
