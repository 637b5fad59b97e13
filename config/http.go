package config

import "pruned/config/secret"

// HTTP is what is served.
type HTTP struct {
	Listen       string      `name:"http" env:"PRUNED_HTTP" default:"127.0.0.1:8077" help:"Where health (/livez, /readyz, /healthz), metrics (/metrics) and the webhook are served."`
	WebhookToken secret.Text `name:"webhook-token" env:"PRUNED_WEBHOOK_TOKEN" flagless:"" help:"Token of Open WebUI's webhook; unset: no receiver."`
	PPROF        string      `name:"pprof" env:"PRUNED_PPROF" placeholder:"ADDRESS" help:"Where Go's profiles (/debug/pprof/) are served, on this machine only; unset: nowhere."`
}

// minTokenLength is the length that nobody guesses over a network.
const minTokenLength = 16

func (h HTTP) checkHTTP(ps *problems) {
	checkAddress(ps, "PRUNED_HTTP", h.Listen)
	if h.PPROF != "" {
		checkLoopback(ps, "PRUNED_PPROF", h.PPROF, "127.0.0.1:6060")
	}
	if n := len(h.WebhookToken); n > 0 && n < minTokenLength {
		ps.addProblem("PRUNED_WEBHOOK_TOKEN", "has %d characters, and is all that protects the receiver: wanted %d or more, such as those of openssl rand -hex 32", n, minTokenLength)
	}
}
