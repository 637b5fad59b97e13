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
	"time"

	"github.com/gomodule/redigo/redis"

	"pruned/repo/trace"
	"pruned/vectors"
	"pruned/vectors/apart"
)

// Options are the application's settings for this store.
type Options struct {
	URL    string // of which host, port and database count, as for the application
	Prefix string // of all keys
}

// Store is a database of a Valkey server.
type Store struct {
	*apart.Store[apart.Place]
	server *server
}

type server struct {
	pool     *redis.Pool
	address  string
	database int
	prefix   string // of keys, with the colon
}

var (
	_ vectors.Guarded         = (*Store)(nil)
	_ vectors.CollectionStore = (*Store)(nil)
	_ trace.Searcher          = (*Store)(nil)
	_ apart.Bounded           = (*server)(nil)
)

const (
	connectTimeout = 10 * time.Second
	// requestPatience bounds a request and its answer.
	requestPatience = time.Minute
	// connectionIdle is how long a connection that nobody uses is kept.
	connectionIdle = 10 * time.Second
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
	s.pool = &redis.Pool{MaxIdle: 2, IdleTimeout: connectionIdle, DialContext: func(ctx context.Context) (redis.Conn, error) {
		return redis.DialContext(ctx, "tcp", s.address, redis.DialDatabase(s.database), redis.DialConnectTimeout(connectTimeout),
			redis.DialReadTimeout(requestPatience), redis.DialWriteTimeout(requestPatience))
	}}
	return &Store{apart.New[apart.Place]("valkey", s), s}, nil
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
func (s *Store) Close() { _ = s.server.pool.Close() }

// String says where it is.
func (s *Store) String() string { return s.server.name() }

// Info says that others may use it.
func (s *Store) Info() vectors.Info { return vectors.Info{Name: s.server.name()} }

func (s *server) name() string {
	return fmt.Sprintf("valkey at %s, database %d, keys %s*", s.address, s.database, s.prefix)
}

// ask sends commands together, and returns an answer to each.
func (s *server) ask(ctx context.Context, doing string, commands ...[]any) (answers []any, err error) {
	connection, err := s.pool.GetContext(ctx)
	if err != nil {
		return nil, s.Unusable("cannot be connected to: %w", err)
	}
	defer func() { _ = connection.Close() }() // to the pool, unless it failed
	for _, command := range commands {
		if err := connection.Send(command[0].(string), command[1:]...); err != nil {
			return nil, s.describeFailure(doing, err)
		}
	}
	if err := connection.Flush(); err != nil {
		return nil, s.describeFailure(doing, err)
	}
	for range commands {
		answer, err := redis.ReceiveContext(connection, ctx)
		if err != nil {
			return nil, s.describeFailure(doing, err)
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

// askTexts sends one command that is answered by a list of texts.
func (s *server) askTexts(ctx context.Context, doing string, command ...any) ([]string, error) {
	answers, err := s.ask(ctx, doing, command)
	if err != nil {
		return nil, err
	}
	list, err := redis.Strings(answers[0], nil)
	if err != nil {
		return nil, s.describeFailure(doing, err)
	}
	return list, nil
}

// Unusable is an error of the store itself, whichever files were asked for.
func (s *server) Unusable(format string, args ...any) error {
	return fmt.Errorf("%w: the Valkey server at %s %w", vectors.ErrUnusable, s.address, fmt.Errorf(format, args...))
}

// describeFailure marks every failure as the store's own: no answer is a reason to believe
// that something is gone.
func (s *server) describeFailure(doing string, err error) error {
	var said redis.Error
	if errors.As(err, &said) && (strings.HasPrefix(string(said), "NOPERM") || strings.HasPrefix(string(said), "NOAUTH")) {
		err = fmt.Errorf("%w: the user without a password, as which Open WebUI connects, wants SCAN, HGET, HMGET, DEL, FT._LIST and FT.DROPINDEX, for trace HGETALL", err)
	}
	return s.Unusable("does not %s: %w", doing, err)
}
