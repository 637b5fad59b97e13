package config

import (
	"net/netip"

	"pruned/config/secret"
)

// HTTP is what is served.
type HTTP struct {
	Listen       string      `name:"http" env:"PRUNED_HTTP" default:"127.0.0.1:8077" help:"Where health (/livez, /readyz, /healthz), metrics (/metrics), the webhook and the page are served."`
	WebhookToken secret.Text `name:"webhook-token" env:"PRUNED_WEBHOOK_TOKEN" flagless:"" help:"Token of Open WebUI's webhook; unset: no receiver."`
	AdminToken   secret.Text `name:"admin-token" env:"PRUNED_ADMIN_TOKEN" flagless:"" help:"Token that signs in to the page of an operator; unset: no page."`
	AdminProxies []string    `name:"admin-proxy-cidr" env:"PRUNED_ADMIN_PROXY_CIDR" placeholder:"CIDR" help:"Addresses of reverse proxies whose header X-Forwarded-User signs in to the page."`
	PPROF        string      `name:"pprof" env:"PRUNED_PPROF" placeholder:"ADDRESS" help:"Where Go's profiles (/debug/pprof/) are served, on this machine only; unset: nowhere."`
}

// minTokenLength is the length that nobody guesses over a network.
const minTokenLength = 16

func (h HTTP) checkHTTP(ps *problems) {
	checkAddress(ps, "PRUNED_HTTP", h.Listen)
	if h.PPROF != "" {
		checkLoopback(ps, "PRUNED_PPROF", h.PPROF, "127.0.0.1:6060")
	}
	checkToken(ps, "PRUNED_WEBHOOK_TOKEN", h.WebhookToken, "the receiver")
	checkToken(ps, "PRUNED_ADMIN_TOKEN", h.AdminToken, "the page")
	for _, text := range h.AdminProxies {
		if _, err := netip.ParsePrefix(text); err != nil {
			ps.addProblem("PRUNED_ADMIN_PROXY_CIDR", "%q is no range of addresses: wanted one such as 10.0.0.0/8 or 10.1.2.3/32", text)
		}
	}
	if len(h.AdminProxies) > 0 && h.AdminToken == "" {
		ps.addProblem("PRUNED_ADMIN_PROXY_CIDR", "is set, and there is no page: wanted PRUNED_ADMIN_TOKEN as well")
	}
}

func checkToken(ps *problems, setting string, token secret.Text, protects string) {
	if n := len(token); n > 0 && n < minTokenLength {
		ps.addProblem(setting, "has %d characters, and is all that protects %s: wanted %d or more, such as those of openssl rand -hex 32", n, protects, minTokenLength)
	}
}

// ProxyPrefixes are the addresses of proxies, which were checked.
func (h HTTP) ProxyPrefixes() (prefixes []netip.Prefix) {
	for _, text := range h.AdminProxies {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			prefixes = append(prefixes, prefix.Masked())
		}
	}
	return prefixes
}
