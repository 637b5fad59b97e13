package main

import (
	"net/url"
	"path"
	"strings"
)

// webhookFindings tells whether Open WebUI sends its events to us. Without them
// only the timer and due times start sweeps.
func (r *doctorCmd) webhookFindings(ctx *runContext, a *app) []finding {
	registered, err := a.db.ListWebhooks(ctx)
	if err != nil {
		return []finding{{Check: "webhook", Detail: err.Error()}}
	}
	return []finding{webhookFinding(registered, string(ctx.cli.HTTP.WebhookToken))}
}

// webhookFinding never tells a token.
func webhookFinding(registered []string, token string) finding {
	other := ""
	for _, address := range registered {
		host, sent, ours := webhookToken(address)
		switch {
		case !ours:
		case token != "" && sent == token:
			return finding{Check: "webhook", OK: true, Detail: "registered in Open WebUI, at " + host}
		default:
			other = host
		}
	}
	switch {
	case other != "" && token != "":
		return finding{Check: "webhook", Detail: "registered in Open WebUI, at " + other + ", but with another token: its events are refused",
			Remedy: "register it anew with PRUNED_WEBHOOK_TOKEN"}
	case other != "":
		return finding{Check: "webhook", Detail: "registered in Open WebUI, at " + other + ", but nothing receives its events",
			Remedy: "set PRUNED_WEBHOOK_TOKEN to its token"}
	case token != "":
		return finding{Check: "webhook", OK: true, Detail: "not registered in Open WebUI: sweeps run by the timer only",
			Remedy: "POST /api/events/webhooks, as the README says"}
	}
	return finding{Check: "webhook", OK: true, Detail: "not used: sweeps run by the timer only",
		Remedy: "set PRUNED_WEBHOOK_TOKEN and register the webhook, as the README says"}
}

// webhookToken takes an address of ours apart: .../webhook/TOKEN or
// .../webhook?token=TOKEN, below whatever path a proxy adds.
func webhookToken(address string) (host, token string, ours bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", "", false
	}
	trimmed := strings.TrimSuffix(u.Path, "/")
	if strings.HasSuffix(trimmed, "/webhook") {
		return u.Host, u.Query().Get("token"), u.Query().Has("token")
	}
	before, token := path.Split(trimmed)
	return u.Host, token, strings.HasSuffix(before, "/webhook/")
}
