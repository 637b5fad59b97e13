// Package pinecone is the vector store Pinecone, spoken to over HTTP.
//
// Its central idea is that Pinecone has a filter for queries, whose answers are bounded and
// late, and lists without metadata: points are fetched by their ids, compared, deleted by their
// ids, and looked for again until none is shown. No request has deleteAll or a filter to
// delete by.
//
// The package knows nothing of table file, of references, or of the queue. No Pinecone was
// to be had: it was tested on a server in the process by the published API (2025-01). What
// the application does with it is in open_webui/retrieval/vector/dbs/pinecone.py of Open
// WebUI 0.12.4.
package pinecone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"pruned/repo/trace"
	"pruned/vectors"
	"pruned/vectors/apart"
	"pruned/vectors/rest"
)

// Options are the application's settings for this store.
type Options struct{ APIKey, Index string }

// Store is an index of Pinecone's.
type Store struct {
	*apart.Store[*index]
	server *server
}

type server struct {
	options    Options
	controller *rest.Client
	freshness  time.Duration

	mutex sync.Mutex
	index *index // once it was described
}

// index is where all points lie, each of which says its collection. Only open makes one.
type index struct {
	*rest.Client
	name      string
	dimension int
}

func (i *index) Name() string     { return i.name }
func (*index) Collection() string { return "" }
func (*index) HoldsFiles() bool   { return true }
func (*index) Takes(string) bool  { return true }

var (
	_ vectors.Guarded         = (*Store)(nil)
	_ vectors.CollectionStore = (*Store)(nil)
	_ trace.Searcher          = (*Store)(nil)
	_ apart.Bounded           = (*server)(nil)
	_ apart.Late              = (*server)(nil)
)

const (
	// pinecone tells where the index is.
	pinecone = "https://api.pinecone.io"
	version  = "2025-01"
	// freshness is how long a query may show what was deleted: seconds, says Pinecone.
	freshness = 30 * time.Second
)

// New makes a store. It sends nothing.
func New(_ context.Context, options Options) (*Store, error) {
	return newStore(pinecone, freshness, options)
}

func newStore(controller string, freshness time.Duration, options Options) (*Store, error) {
	address, err := url.Parse(controller)
	if err != nil || options.APIKey == "" || options.Index == "" {
		return nil, errors.New("pinecone wants a key and the name of an index")
	}
	s := &server{options: options, freshness: freshness}
	s.controller = s.newClient(address)
	return &Store{apart.New[*index]("pinecone", s), s}, nil
}

func (s *server) newClient(address *url.URL) *rest.Client {
	return rest.NewClient(rest.Options{
		Server: "Pinecone", URL: address, Secrets: []string{s.options.APIKey},
		Header: http.Header{"Api-Key": {s.options.APIKey}, "X-Pinecone-Api-Version": {version}},
		Rights: "PINECONE_API_KEY wants the roles ControlPlaneViewer and DataPlaneEditor",
	})
}

// Close lets go of idle connections.
func (s *Store) Close() {
	s.server.controller.Close()
	s.server.mutex.Lock()
	defer s.server.mutex.Unlock()
	if s.server.index != nil {
		s.server.index.Close()
	}
}

// Info says that others may use it.
func (s *Store) Info() vectors.Info { return vectors.Info{Name: s.server.name()} }

// String keeps secrets out of what is printed.
func (s *Store) String() string { return s.server.name() }

func (s *server) name() string { return "pinecone, index " + s.options.Index }

// Unusable is an error of the store itself, whichever files were asked for.
func (s *server) Unusable(format string, args ...any) error {
	return s.controller.Unusable("about index %s: %w", s.options.Index, fmt.Errorf(format, args...))
}

// described is an index in Pinecone's words.
type described struct {
	Name      string
	Host      string
	Dimension int
	Status    struct{ Ready bool }
	Spec      map[string]any
}

// open asks where the index is, once.
func (s *server) open(ctx context.Context) (*index, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.index != nil {
		return s.index, nil
	}
	var answer described
	if err := s.controller.Call(ctx, "describe index "+s.options.Index, http.MethodGet, "indexes/"+url.PathEscape(s.options.Index), nil, &answer); err != nil {
		return nil, err
	}
	host := answer.Host
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	address, err := url.Parse(host)
	switch {
	case answer.Name != s.options.Index || err != nil || address.Hostname() == "" || answer.Dimension < 1:
		return nil, s.Unusable("it is not described as an index with dense vectors")
	case !answer.Status.Ready:
		return nil, s.Unusable("it is not ready")
	}
	s.index = &index{s.newClient(address), s.options.Index, answer.Dimension}
	return s.index, nil
}

// Check reads a page of the list, which only serverless indexes have.
func (s *Store) Check(ctx context.Context) error {
	at, err := s.server.open(ctx)
	if err != nil {
		return err
	}
	_, _, err = s.server.listIDs(ctx, at, "")
	return err
}

// List is the one index.
func (s *server) List(ctx context.Context) ([]*index, error) {
	at, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	return []*index{at}, nil
}

// Freshness is how long what was deleted may be shown.
func (s *server) Freshness() time.Duration { return s.freshness }

// Count is asked about no shelf.
func (s *server) Count(context.Context, *index) (int64, error) {
	return 0, s.Unusable("its points are not counted")
}

// Drop is asked about no shelf.
func (s *server) Drop(context.Context, *index) error { return s.Unusable("it is never dropped") }
