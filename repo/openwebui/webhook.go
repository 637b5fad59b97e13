package openwebui

import "encoding/json"

// WebhooksKey is the key of the application's setting that holds its webhooks.
const WebhooksKey = "events.webhooks"

// Webhooks are the addresses of those in the value of the application's setting
// that are enabled. They hold secrets. Whatever is not as expected is no webhook.
func Webhooks(value string) (urls []string) {
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
	return urls
}
