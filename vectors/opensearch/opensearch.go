// Package opensearch is the vector store OpenSearch, spoken to over HTTP.
//
// Its central idea is that each of the application's collections is an index of its own, which
// has not every value in the form that a filter wants: where a filter might miss some, all
// documents are read. How a server is asked, package lucene knows.
//
// The package knows nothing of table file, of references, or of the queue. Facts about
// OpenSearch were seen on 2.19.6; what the application does with it, in
// open_webui/retrieval/vector/dbs/opensearch.py of Open WebUI 0.12.4.
package opensearch

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"

	"pruned/repo/trace"
	"pruned/vectors"
	"pruned/vectors/apart"
	"pruned/vectors/lucene"
	"pruned/vectors/rest"
)

// Options say where an OpenSearch server is, as the application's settings do.
type Options struct {
	URL    string
	Secure bool // TLS whatever the address says
	Verify bool // the server's certificate
	// What the server wants to see, if anything.
	User, Password string
}

// Store is an OpenSearch server.
type Store struct {
	*apart.Store[index]
	server *server
}

type server struct {
	lucene.Server[index]
	host string
}

var (
	_ vectors.Guarded         = (*Store)(nil)
	_ vectors.CollectionStore = (*Store)(nil)
	_ trace.Searcher          = (*Store)(nil)
)

const defaultPort = "9200"

// New makes a store. It sends nothing.
func New(_ context.Context, options Options) (*Store, error) {
	address, err := url.Parse(options.URL)
	if err != nil || address.Hostname() == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, errors.New("the address of the OpenSearch server is no http(s)://host:port") // it may hold a password
	}
	if address.User != nil && options.User == "" {
		options.User = address.User.Username()
		options.Password, _ = address.User.Password()
	}
	address.User = nil
	address.Host = hostPort(address)
	if options.Secure {
		address.Scheme = "https"
	}
	header := http.Header{}
	secrets := []string{options.Password}
	if options.User != "" {
		pair := base64.StdEncoding.EncodeToString([]byte(options.User + ":" + options.Password))
		header.Set("Authorization", "Basic "+pair)
		secrets = append(secrets, pair)
	}
	s := &server{host: address.Host, Server: lucene.Server[index]{Client: rest.NewClient(rest.Options{
		Server: "OpenSearch", URL: address, Header: header, Secrets: secrets,
		Rights: "OPENSEARCH_USERNAME wants the permissions indices:admin/resolve/index, indices:admin/mappings/fields/get*, indices:admin/refresh*, indices:admin/delete, indices:data/read/search*, indices:data/read/scroll* and indices:data/write/bulk* on " + prefix + "*",
		// The application checks no certificate unless it is told to.
		TLS: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: !options.Verify}, //nolint:gosec // OPENSEARCH_CERT_VERIFY says so
	})}}
	return &Store{apart.New("opensearch", s), s}, nil
}

// hostPort is with the port that the application's client takes where there is none.
func hostPort(address *url.URL) string {
	port := address.Port()
	switch {
	case port != "":
	case address.Scheme == "https":
		port = "443"
	default:
		port = defaultPort
	}
	return net.JoinHostPort(address.Hostname(), port)
}

// Close lets go of idle connections.
func (s *Store) Close() { s.server.Close() }

// String keeps secrets out of what is printed.
func (s *Store) String() string { return "opensearch at " + s.server.host }

// Info says that others may use it.
func (s *Store) Info() vectors.Info { return vectors.Info{Name: s.String()} }
