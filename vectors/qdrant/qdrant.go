// Package qdrant is the vector store Qdrant, spoken to over HTTP.
//
// Its central idea is that Qdrant deletes everything where a filter is empty, and shows who
// asks only what they may see: no filter ever goes with a deletion. Points are found, compared
// here, deleted by their ids in every replica, in the order that the leader of their shard
// knows, and looked for again, until there are none. Which of the server's collections that
// concerns, one for each of the application's or five for all, says a layout.
//
// The package knows nothing of table file, of references, or of the queue. What Qdrant does was
// read in its documentation and its source, and seen on its engine in another program; what the
// application does with it, in open_webui/retrieval/vector/dbs/qdrant.py and
// qdrant_multitenancy.py of Open WebUI 0.12.4.
package qdrant

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"pruned/repo/trace"
	"pruned/vectors"
	"pruned/vectors/apart"
	"pruned/vectors/rest"
)

// Options say where a Qdrant server is, as the application's settings do.
type Options struct {
	URL    string // scheme, host, port, a path before all others
	Secure bool   // TLS whatever the address says
	APIKey string
	// Multitenancy is five collections for all of the application's.
	Multitenancy bool
	Prefix       string // what the names of the application's collections begin with
}

// Store is a Qdrant server.
type Store struct {
	*apart.Store[collection]
	server *server
}

type server struct {
	*rest.Client
	host   string
	layout layout
}

var (
	_ vectors.Guarded         = (*Store)(nil)
	_ vectors.CollectionStore = (*Store)(nil)
	_ trace.Searcher          = (*Store)(nil)
)

// defaultPort is what the application's client takes where there is none, whatever the scheme.
const defaultPort = "6333"

// New makes a store. It sends nothing.
func New(_ context.Context, options Options) (*Store, error) {
	address, err := url.Parse(options.URL)
	if err != nil || address.Hostname() == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, errors.New("the address of the Qdrant server is no http(s)://host:port") // it may hold a password
	}
	if address.Port() == "" {
		address.Host = net.JoinHostPort(address.Hostname(), defaultPort)
	}
	if options.Secure {
		address.Scheme = "https"
	}
	address.User, address.RawQuery, address.Fragment = nil, "", ""
	header := http.Header{}
	if options.APIKey != "" {
		header.Set("Api-Key", options.APIKey)
	}
	s := &server{host: address.Host, layout: layout{options.Prefix, options.Multitenancy}, Client: rest.NewClient(rest.Options{
		Server: "Qdrant", URL: address, Header: header, Secrets: []string{options.APIKey},
		Rights: "QDRANT_API_KEY wants to be the server's own key, or a token that may manage all collections (access m)",
	})}
	return &Store{apart.New[collection]("qdrant", s), s}, nil
}

// Close lets go of idle connections.
func (s *Store) Close() { s.server.Close() }

// String keeps secrets out of what is printed.
func (s *Store) String() string { return "qdrant at " + s.server.host }

// Info says that others may use it.
func (s *Store) Info() vectors.Info {
	return vectors.Info{Name: fmt.Sprintf("%s, %s", s, s.server.layout)}
}
