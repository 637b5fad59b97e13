package config

import (
	"net/url"
	"strings"

	"pruned/config/secret"
)

// OpenSearch is for the vector store opensearch. The names and defaults are the application's.
type OpenSearch struct {
	URI      string      `name:"opensearch-uri" env:"OPENSEARCH_URI" address:"" default:"https://localhost:9200" placeholder:"URL" help:"Server of the vector store opensearch."`
	SSL      bool        `name:"opensearch-ssl" env:"OPENSEARCH_SSL" type:"truth" default:"true" help:"TLS, also where the address says http."`
	Verify   bool        `name:"opensearch-cert-verify" env:"OPENSEARCH_CERT_VERIFY" type:"truth" help:"The server's certificate is checked."`
	Username string      `name:"opensearch-username" env:"OPENSEARCH_USERNAME" help:"User."`
	Password secret.Text `name:"opensearch-password" env:"OPENSEARCH_PASSWORD" flagless:"" help:"Password."`
}

func (o OpenSearch) checkOpenSearch(ps *problems) {
	u, err := url.Parse(o.URI)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		ps.addProblem("OPENSEARCH_URI", "%s is no address of a server: wanted http(s)://host:port, as Open WebUI has it", secret.Redact(o.URI))
	}
}
