package config

import (
	"net/url"
	"strconv"
	"strings"

	"pruned/config/secret"
)

// Valkey is for the vector store valkey. The names and defaults are the application's.
type Valkey struct {
	URL    secret.Text `name:"valkey-url" env:"VALKEY_URL" address:"" flagless:"" help:"Server of the vector store valkey: host, port and database count, as for Open WebUI."`
	Prefix string      `name:"valkey-collection-prefix" env:"VALKEY_COLLECTION_PREFIX" default:"open_webui" help:"What its keys begin with."`
}

func (v Valkey) checkValkey(ps *problems) {
	const wanted = "wanted valkey://host:port/number, as Open WebUI has it"
	u, err := url.Parse(string(v.URL))
	switch {
	case v.URL == "":
		ps.addProblem("VALKEY_URL", "is not set: %s", wanted)
	case err != nil || u.Host == "":
		ps.addProblem("VALKEY_URL", "%s is no address of a server: %s", secret.Redact(string(v.URL)), wanted)
	default:
		path := strings.TrimLeft(u.Path, "/")
		if n, err := strconv.Atoi(path); path != "" && (err != nil || n < 0) {
			ps.addProblem("VALKEY_URL", "%s names no number of a database: %s", secret.Redact(string(v.URL)), wanted)
		}
	}
	if v.Prefix == "" {
		ps.addProblem("VALKEY_COLLECTION_PREFIX", "is empty: keys of other programs could not be told from Open WebUI's")
	}
}
