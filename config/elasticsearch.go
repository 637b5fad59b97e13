package config

import (
	"net/url"
	"regexp"
	"strings"

	"pruned/config/secret"
)

// Elasticsearch is for the vector store elasticsearch. The names and defaults are the
// application's.
type Elasticsearch struct {
	URL         string      `name:"elasticsearch-url" env:"ELASTICSEARCH_URL" address:"" default:"https://localhost:9200" placeholder:"URL" help:"Server of the vector store elasticsearch, with its port."`
	CAFile      string      `name:"elasticsearch-ca-certs" env:"ELASTICSEARCH_CA_CERTS" placeholder:"FILE" help:"Certificates for the server's; unset: the system's."`
	Fingerprint string      `name:"ssl-assert-fingerprint" env:"SSL_ASSERT_FINGERPRINT" help:"SHA-256 of the server's certificate, or of one that signed it, in place of names and those certificates."`
	APIKey      secret.Text `name:"elasticsearch-api-key" env:"ELASTICSEARCH_API_KEY" flagless:"" help:"Key."`
	Username    string      `name:"elasticsearch-username" env:"ELASTICSEARCH_USERNAME" help:"User, where there is no key."`
	Password    secret.Text `name:"elasticsearch-password" env:"ELASTICSEARCH_PASSWORD" flagless:"" help:"Password."`
	CloudID     string      `name:"elasticsearch-cloud-id" env:"ELASTICSEARCH_CLOUD_ID" help:"Refused: Open WebUI's client takes no cloud beside a server."`
	Prefix      string      `name:"elasticsearch-index-prefix" env:"ELASTICSEARCH_INDEX_PREFIX" default:"open_webui_collections" help:"What the names of indexes begin with."`
}

var (
	// indexPrefix is what a name can begin with that is no pattern, nor several.
	indexPrefix = regexp.MustCompile(`^[^-_+A-Z\\/*?"<>| ,#:][^A-Z\\/*?"<>| ,#:]*$`)
	fingerprint = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
)

func (e Elasticsearch) checkElasticsearch(ps *problems) {
	u, err := url.Parse(e.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Port() == "" || u.RawQuery != "" || u.Fragment != "" {
		ps.addProblem("ELASTICSEARCH_URL", "%s is no address of a server: wanted http(s)://host:port, as Open WebUI has it", secret.Redact(e.URL))
	}
	if e.CloudID != "" {
		ps.addProblem("ELASTICSEARCH_CLOUD_ID", "is refused, as Open WebUI's client refuses it beside ELASTICSEARCH_URL, which has a default: wanted the address there")
	}
	if e.APIKey != "" && e.Username != "" && e.Password != "" {
		ps.addProblem("ELASTICSEARCH_API_KEY", "is set, and so are ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD, which Open WebUI's client refuses: wanted one of the two")
	}
	if e.Fingerprint != "" && !fingerprint.MatchString(strings.ReplaceAll(e.Fingerprint, ":", "")) {
		ps.addProblem("SSL_ASSERT_FINGERPRINT", "%q is no SHA-256: wanted its 64 hexadecimal digits", e.Fingerprint)
	}
	if !indexPrefix.MatchString(e.Prefix) {
		ps.addProblem("ELASTICSEARCH_INDEX_PREFIX", "%q is nothing that a name of an index begins with: wanted Open WebUI's", e.Prefix)
	}
}
