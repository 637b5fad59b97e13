package config

import (
	"net/url"
	"strconv"

	"pruned/config/secret"
)

// Qdrant is for the vector store qdrant. The names and defaults are the application's.
type Qdrant struct {
	URI          string      `name:"qdrant-uri" env:"QDRANT_URI" address:"" placeholder:"URL" help:"Server of the vector store qdrant, with the port of its HTTP (6333)."`
	APIKey       secret.Text `name:"qdrant-api-key" env:"QDRANT_API_KEY" flagless:"" help:"Key of the server, or a token that may manage all collections."`
	PreferGRPC   bool        `name:"qdrant-prefer-grpc" env:"QDRANT_PREFER_GRPC" type:"truth" help:"HTTP is used all the same; with a key by TLS, as Open WebUI's client does then."`
	GRPCPort     int         `name:"qdrant-grpc-port" env:"QDRANT_GRPC_PORT" default:"6334" help:"Port that QDRANT_URI cannot have."`
	Multitenancy bool        `name:"enable-qdrant-multitenancy-mode" env:"ENABLE_QDRANT_MULTITENANCY_MODE" type:"truth" default:"true" help:"Five collections hold all."`
	Prefix       string      `name:"qdrant-collection-prefix" env:"QDRANT_COLLECTION_PREFIX" default:"open-webui" help:"What the names of collections begin with."`
}

// IsSecure says that TLS is used whatever QDRANT_URI says: Open WebUI's client takes only the
// host from it when it prefers gRPC, and sends no key without.
func (q Qdrant) IsSecure() bool { return q.PreferGRPC && q.APIKey != "" }

func (q Qdrant) checkQdrant(ps *problems) {
	const wanted = "wanted http(s)://host:port of Open WebUI's Qdrant server"
	if q.URI == "" {
		ps.addProblem("QDRANT_URI", "is not set: %s", wanted)
		return
	}
	u, err := url.Parse(q.URI)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		ps.addProblem("QDRANT_URI", "%s is no address of a server: %s", secret.Redact(q.URI), wanted)
		return
	}
	if u.Port() == strconv.Itoa(q.GRPCPort) {
		ps.addProblem("QDRANT_URI", "%s has the port of gRPC, QDRANT_GRPC_PORT: wanted that of HTTP of the same server, 6333 unless it is set otherwise", secret.Redact(q.URI))
	}
}
