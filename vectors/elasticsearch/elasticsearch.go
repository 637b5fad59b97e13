// Package elasticsearch is the vector store Elasticsearch, spoken to over HTTP.
//
// Its central idea is that an index holds all collections with vectors of one size, of which
// each document says its own: such an index is never dropped, documents go from it by their ids,
// and one that is not named and mapped as the application makes it is refused, or told. How a
// server is asked, package lucene knows.
//
// The package knows nothing of table file, of references, or of the queue. No Elasticsearch was
// to be had: the requests were seen on OpenSearch 2.19.6, and rights and certificates come from
// Elasticsearch's documentation; what the application does with it, from
// open_webui/retrieval/vector/dbs/elasticsearch.py of Open WebUI 0.12.4.
package elasticsearch

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"pruned/repo/trace"
	"pruned/vectors"
	"pruned/vectors/apart"
	"pruned/vectors/lucene"
	"pruned/vectors/rest"
)

// Options say where an Elasticsearch server is, as the application's settings do.
type Options struct {
	URL string // scheme, host, port, a path before all others
	// What the server wants to see, if anything: a key, or else the two.
	APIKey, User, Password string
	CAFile                 string // certificates that the server's may be signed by; the system's if empty
	// Fingerprint is the SHA-256, in hexadecimal digits, of the server's certificate or of one
	// that signed it; neither names nor other certificates count then.
	Fingerprint string
	Prefix      string // what the names of the application's indexes begin with
}

// Store is an Elasticsearch server.
type Store struct {
	*apart.Store[lucene.Index]
	server *server
}

type server struct {
	lucene.Server[lucene.Index]
	host, prefix string
}

var (
	_ vectors.Guarded         = (*Store)(nil)
	_ vectors.CollectionStore = (*Store)(nil)
	_ trace.Searcher          = (*Store)(nil)
)

// New makes a store. It sends nothing.
func New(_ context.Context, options Options) (*Store, error) {
	address, err := url.Parse(options.URL)
	if err != nil || address.Hostname() == "" || address.Port() == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, errors.New("the address of the Elasticsearch server is no http(s)://host:port") // it may hold a password
	}
	if options.Prefix == "" {
		return nil, errors.New("the indexes of Elasticsearch have no prefix")
	}
	security, err := securityOf(options)
	if err != nil {
		return nil, err
	}
	header, secrets := authorize(address.User, options)
	address.User, address.RawQuery, address.Fragment = nil, "", ""
	s := &server{host: address.Host, prefix: options.Prefix, Server: lucene.Server[lucene.Index]{Client: rest.NewClient(rest.Options{
		Server: "Elasticsearch", URL: address, Header: header, Secrets: secrets, TLS: security,
		Rights: "ELASTICSEARCH_API_KEY, or ELASTICSEARCH_USERNAME, wants the privileges view_index_metadata, read, maintenance and delete on " + options.Prefix + "_*",
	})}}
	return &Store{apart.New[lucene.Index]("elasticsearch", s), s}, nil
}

// authorize prefers a key, and what is set to what the address says, as the application's
// client does.
func authorize(inAddress *url.Userinfo, options Options) (header http.Header, secrets []string) {
	if options.APIKey != "" {
		return http.Header{"Authorization": {"ApiKey " + options.APIKey}}, []string{options.APIKey}
	}
	if options.User == "" || options.Password == "" {
		options.User = inAddress.Username()
		options.Password, _ = inAddress.Password()
	}
	if options.User == "" {
		return nil, nil
	}
	pair := base64.StdEncoding.EncodeToString([]byte(options.User + ":" + options.Password))
	return http.Header{"Authorization": {"Basic " + pair}}, []string{options.Password, pair}
}

// Close lets go of idle connections.
func (s *Store) Close() { s.server.Close() }

// String keeps secrets out of what is printed.
func (s *Store) String() string { return "elasticsearch at " + s.server.host }

// Info says that others may use it.
func (s *Store) Info() vectors.Info {
	return vectors.Info{Name: fmt.Sprintf("%s, indexes with prefix %s", s, s.server.prefix)}
}
