// Package valkey is the vector store Valkey with a module for searches.
//
// Its central idea is that an index finds more than it is asked for, and not all: keys are
// scanned, their hashes compared, deleted by their keys, and scanned again, until there are
// none. An index is dropped when its collection has no keys any more.
//
// The package knows nothing of table file, of references, or of the queue. valkey-search was
// not to be had: it was tested on Valkey 8.1.8 with RediSearch 2.10.5, whose words are the
// same. What the application does with it is in
// open_webui/retrieval/vector/dbs/valkey.py of Open WebUI 0.12.4.
package valkey

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/valkey-io/valkey-go"

	"pruned/vectors"
	"pruned/vectors/flat"
)

// Options are the application's settings for this store.
type Options struct {
	URL    string // of which host, port and database count, as for the application
	Prefix string // of all keys
}

// Store is a database of a Valkey server.
type Store struct {
	*flat.Store
	server *server
}

type server struct {
	address  string
	database int
	prefix   string // of keys, with the colon

	mutex  sync.Mutex
	client valkey.Client // once there was a connection
}

var (
	_ vectors.Guarded         = (*Store)(nil)
	_ vectors.CollectionStore = (*Store)(nil)
)

const (
	connectTimeout = 10 * time.Second
	// requestPatience bounds a request and its answer.
	requestPatience = time.Minute
)

// New makes a store. It sends nothing.
func New(_ context.Context, options Options) (*Store, error) {
	address, err := url.Parse(options.URL)
	if err != nil || options.URL == "" || options.Prefix == "" {
		return nil, errors.New("the address of Valkey is no URL, or there is no prefix of its keys") // it may hold a password
	}
	s := &server{address: hostPort(address), prefix: options.Prefix + ":"}
	if path := strings.TrimLeft(address.Path, "/"); path != "" {
		if s.database, err = strconv.Atoi(path); err != nil {
			return nil, errors.New("the address of Valkey names no number of a database")
		}
	}
	return &Store{flat.New(s), s}, nil
}

// hostPort is as the application takes it where something is missing.
func hostPort(address *url.URL) string {
	host, port := address.Hostname(), address.Port()
	if host == "" {
		host = "localhost"
	}
	if port == "" {
		port = "6379"
	}
	return net.JoinHostPort(host, port)
}

// Close ends the connections.
func (s *Store) Close() {
	s.server.mutex.Lock()
	defer s.server.mutex.Unlock()
	if s.server.client != nil {
		s.server.client.Close()
	}
}

// String says where it is.
func (s *Store) String() string { return s.server.name() }

// Info says that others may use it.
func (s *Store) Info() vectors.Info { return vectors.Info{Name: s.server.name()} }

func (s *server) name() string {
	return fmt.Sprintf("valkey at %s, database %d, keys %s*", s.address, s.database, s.prefix)
}

// open connects, once: the library does so again by itself.
func (s *server) open() (valkey.Client, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.client != nil {
		return s.client, nil
	}
	client, err := valkey.NewClient(valkey.ClientOption{
		InitAddress: []string{s.address}, SelectDB: s.database, ClientName: "pruned", Dialer: net.Dialer{Timeout: connectTimeout},
		ConnWriteTimeout: requestPatience, DisableCache: true, ForceSingleClient: true, DisableRetry: true,
	})
	if err != nil {
		return nil, s.Unusable("cannot be connected to: %w", err)
	}
	s.client = client
	return client, nil
}

// Unusable is an error of the store itself, whichever files were asked for.
func (s *server) Unusable(format string, args ...any) error {
	return fmt.Errorf("%w: the Valkey server at %s %w", vectors.ErrUnusable, s.address, fmt.Errorf(format, args...))
}

// describeFailure marks every failure as the store's own: no answer is a reason to believe
// that something is gone.
func (s *server) describeFailure(doing string, err error) error {
	if said, is := valkey.IsValkeyErr(err); is && (strings.HasPrefix(said.Error(), "NOPERM") || strings.HasPrefix(said.Error(), "NOAUTH")) {
		err = fmt.Errorf("%w: the user without a password, as which Open WebUI connects, wants SCAN, HMGET, DEL, FT._LIST and FT.DROPINDEX", err)
	}
	return s.Unusable("does not %s: %w", doing, err)
}
