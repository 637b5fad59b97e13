package config

import (
	"net/url"
	"strings"

	"pruned/config/secret"
)

// Milvus is for the vector store milvus. The names and defaults are the application's.
type Milvus struct {
	URI          string      `name:"milvus-uri" env:"MILVUS_URI" address:"" placeholder:"URL" help:"Server of the vector store milvus."`
	Token        secret.Text `name:"milvus-token" env:"MILVUS_TOKEN" flagless:"" help:"user:password, or a key."`
	Database     string      `name:"milvus-db" env:"MILVUS_DB" default:"default" help:"Database."`
	CAFile       string      `name:"milvus-server-pem-path" env:"MILVUS_SERVER_PEM_PATH" placeholder:"FILE" help:"Certificates for the server's; unset: the system's."`
	Multitenancy bool        `name:"enable-milvus-multitenancy-mode" env:"ENABLE_MILVUS_MULTITENANCY_MODE" type:"truth" help:"Five collections hold all."`
	Prefix       string      `name:"milvus-collection-prefix" env:"MILVUS_COLLECTION_PREFIX" default:"open_webui" help:"What the names of the five begin with."`
}

func (m Milvus) checkMilvus(ps *problems) {
	const wanted = "wanted http(s)://host:port of a Milvus server, in Open WebUI's settings too"
	if m.URI == "" {
		ps.addProblem("MILVUS_URI", "is not set: Open WebUI then keeps its vectors in a file that only one process can open; %s", wanted)
		return
	}
	u, err := url.Parse(m.URI)
	switch {
	case !strings.Contains(m.URI, "://"):
		ps.addProblem("MILVUS_URI", "%q is a file, which only one process can open, and that is Open WebUI; %s", m.URI, wanted)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		ps.addProblem("MILVUS_URI", "%s is no address of a server: %s", secret.Redact(m.URI), wanted)
	}
}
