package postgres

import (
	"context"
	"encoding/json"
)

// Webhooks are the addresses of the enabled webhooks that the application sends
// its events to. They hold secrets. A revision that keeps its settings otherwise
// has none.
func (db *DB) Webhooks(ctx context.Context) (urls []string, err error) {
	var rows bool
	err = db.pool.QueryRow(ctx, `SELECT count(*) = 2 FROM pg_attribute
		WHERE attrelid = to_regclass($1) AND attname IN ('key', 'value') AND NOT attisdropped`, db.table("config")).Scan(&rows)
	if err != nil || !rows {
		return nil, translate(err, "look for the application's settings")
	}
	var value string
	err = db.pool.QueryRow(ctx, `SELECT coalesce((SELECT value::text FROM `+db.table("config")+` WHERE key = 'events.webhooks'), '')`).Scan(&value)
	if err != nil {
		return nil, translate(err, "read the application's webhooks")
	}
	// Whatever is not as expected is no webhook.
	var list []json.RawMessage
	_ = json.Unmarshal([]byte(value), &list)
	for _, item := range list {
		var webhook struct {
			URL     string
			Enabled *bool
		}
		if json.Unmarshal(item, &webhook) == nil && webhook.URL != "" && (webhook.Enabled == nil || *webhook.Enabled) {
			urls = append(urls, webhook.URL)
		}
	}
	return urls, nil
}
