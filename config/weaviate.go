package config

import (
	"net"
	"strings"

	"pruned/config/secret"
)

// Weaviate is for the vector store weaviate. The names and defaults are the application's.
type Weaviate struct {
	Host   string      `name:"weaviate-http-host" env:"WEAVIATE_HTTP_HOST" placeholder:"HOST" help:"Server of the vector store weaviate."`
	Port   int         `name:"weaviate-http-port" env:"WEAVIATE_HTTP_PORT" default:"8080" help:"Its port."`
	Secure bool        `name:"weaviate-http-secure" env:"WEAVIATE_HTTP_SECURE" type:"truth" help:"TLS."`
	APIKey secret.Text `name:"weaviate-api-key" env:"WEAVIATE_API_KEY" flagless:"" help:"Key of the server."`
}

func (w Weaviate) checkWeaviate(ps *problems) {
	switch {
	case w.Host == "":
		ps.addProblem("WEAVIATE_HTTP_HOST", "is not set: wanted the host of Open WebUI's Weaviate server")
	case strings.ContainsAny(w.Host, "/@?# ") || strings.Contains(w.Host, ":") && net.ParseIP(w.Host) == nil:
		ps.addProblem("WEAVIATE_HTTP_HOST", "%s is no host: wanted a name or an address alone, as Open WebUI has it", secret.Redact(w.Host))
	}
	if w.Port < 1 || w.Port > 65535 {
		ps.addProblem("WEAVIATE_HTTP_PORT", "%d is no port: wanted 1 to 65535", w.Port)
	}
}
