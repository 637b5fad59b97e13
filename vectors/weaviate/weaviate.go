// Package weaviate is the vector store Weaviate, spoken to over HTTP.
//
// Its central idea is that a filter of Weaviate may match more than it says, and a name less
// than it should: objects are found, compared here, deleted by their ids, and looked for
// again, until there are none; a class is the application's where its name can have been
// only one of the application's collections.
//
// The package knows nothing of table file, of references, or of the queue. Facts about
// Weaviate were seen on 1.35.2; what the application does with it, in
// open_webui/retrieval/vector/dbs/weaviate.py of Open WebUI 0.12.4.
package weaviate

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"pruned/repo/trace"
	"pruned/vectors"
	"pruned/vectors/apart"
	"pruned/vectors/rest"
)

// Options say where a Weaviate server is, as the application's settings do.
type Options struct {
	Host   string
	Port   int
	Secure bool // TLS
	APIKey string
}

// Store is a Weaviate server.
type Store struct {
	*apart.Store[class]
	server *server
}

type server struct {
	*rest.Client
	host string
	page atomic.Int64 // the most objects that the server answers with
}

var (
	_ vectors.Guarded         = (*Store)(nil)
	_ vectors.CollectionStore = (*Store)(nil)
	_ trace.Searcher          = (*Store)(nil)
)

// New makes a store. It sends nothing.
func New(_ context.Context, options Options) (*Store, error) {
	address := &url.URL{Scheme: "http", Host: net.JoinHostPort(options.Host, strconv.Itoa(options.Port)), Path: "/v1"}
	if options.Secure {
		address.Scheme = "https"
	}
	if options.Host == "" || strings.ContainsAny(options.Host, "/@?#") {
		return nil, errors.New("the address of the Weaviate server is no host") // it may hold a password
	}
	header := http.Header{}
	if options.APIKey != "" {
		header.Set("Authorization", "Bearer "+options.APIKey)
	}
	s := &server{host: address.Host, Client: rest.NewClient(rest.Options{
		Server: "Weaviate", URL: address, Header: header, Secrets: []string{options.APIKey},
		Rights: "WEAVIATE_API_KEY wants the permissions read_collections, delete_collections, read_data and delete_data on all collections",
	})}
	s.page.Store(largestPage)
	return &Store{apart.New("weaviate", s), s}, nil
}

// Close lets go of idle connections.
func (s *Store) Close() { s.server.Close() }

// String keeps secrets out of what is printed.
func (s *Store) String() string { return "weaviate at " + s.server.host }

// Info says that others may use it.
func (s *Store) Info() vectors.Info { return vectors.Info{Name: s.String()} }
