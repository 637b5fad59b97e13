// Package milvus is the vector store Milvus, spoken to by its own protocol.
//
// Its central idea is that Milvus tells of the past unless it is made to wait, and says
// little of what it did: nothing is deleted by a filter. Rows are listed, compared here,
// deleted by their keys, and looked for again with the strongest consistency, until there
// are none; a collection that was dropped is looked for in the list of all. Which of the
// server's collections that concerns, one for each of the application's or five for all,
// says a layout.
//
// The package knows nothing of table file, of references, or of the queue. Facts about
// Milvus were seen on the engine 2.3.5 and on milvus-lite 3.2.2; what the application does
// with it, in open_webui/retrieval/vector/dbs/milvus.py and milvus_multitenancy.py of Open
// WebUI 0.12.4.
package milvus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"pruned/vectors"
)

// Options say where a Milvus server is, as the application's settings do.
type Options struct {
	URL      string // scheme, host, port; TLS where the scheme is https
	Database string // default if empty
	Token    string // user:password, or a key
	CAFile   string // certificates that the server's may be signed by; the system's if empty
	// Multitenancy is five collections for all of the application's, whose names begin
	// with Prefix.
	Multitenancy bool
	Prefix       string
}

// Store is a Milvus server.
type Store struct {
	name    string // see vectors.Info
	host    string
	conn    *grpc.ClientConn
	server  milvuspb.MilvusServiceClient
	layout  layout
	version atomic.Pointer[string] // of the server, once it was asked for
	secrets []string               // what no error may quote
}

var (
	_ vectors.Guarded         = (*Store)(nil)
	_ vectors.CollectionStore = (*Store)(nil)
)

const (
	defaultPort     = "19530"
	defaultDatabase = "default"
	// largestAnswer bounds one answer: Milvus sends no larger one.
	largestAnswer = 64 << 20
	// reconnectLimit bounds the pause between tries to reach a server.
	reconnectLimit = 5 * time.Second
	// connectPatience bounds the wait for a connection.
	connectPatience = 15 * time.Second
)

// New makes a store. It sends nothing.
func New(_ context.Context, options Options) (*Store, error) {
	address, err := url.Parse(options.URL)
	if err != nil || address.Hostname() == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, errors.New("the address of the Milvus server is no http(s)://host:port") // it may hold a password
	}
	if options.Database == "" {
		options.Database = defaultDatabase
	}
	if options.Token == "" && address.User != nil {
		password, _ := address.User.Password()
		options.Token = address.User.Username() + ":" + password
	}
	s := &Store{host: hostPort(address), layout: layoutOf(options), secrets: []string{options.Token}}
	s.name = fmt.Sprintf("milvus at %s, database %s, %s", s.host, options.Database, s.layout)
	security, err := securityOf(address, options.CAFile)
	if err != nil {
		return nil, err
	}
	s.conn, err = grpc.NewClient("passthrough:///"+s.host,
		grpc.WithTransportCredentials(security),
		grpc.WithUnaryInterceptor(sendWithEach(options)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largestAnswer)),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: reconnectLimit},
			MinConnectTimeout: connectPatience,
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("the address of the Milvus server at %s: %w", s.host, err)
	}
	s.server = milvuspb.NewMilvusServiceClient(s.conn)
	return s, nil
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

func securityOf(address *url.URL, caFile string) (credentials.TransportCredentials, error) {
	if address.Scheme == "http" {
		return insecure.NewCredentials(), nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		text, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("read the certificates for the Milvus server: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("read the certificates for the Milvus server: there is none in %s", caFile)
		}
	}
	return credentials.NewTLS(config), nil
}

// sendWithEach adds to each request who asks, and of which database.
func sendWithEach(options Options) grpc.UnaryClientInterceptor {
	pairs := []string{"dbname", options.Database}
	if options.Token != "" {
		pairs = append(pairs, "authorization", base64.StdEncoding.EncodeToString([]byte(options.Token)))
	}
	return func(ctx context.Context, method string, in, out any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, callOptions ...grpc.CallOption) error {
		return invoke(metadata.AppendToOutgoingContext(ctx, pairs...), method, in, out, conn, callOptions...)
	}
}

// Close lets go of the connection.
func (s *Store) Close() { _ = s.conn.Close() }

// String keeps secrets out of what is printed.
func (s *Store) String() string { return "milvus at " + s.host }

// Info says that others may use it.
func (s *Store) Info() vectors.Info { return vectors.Info{Name: s.name} }

// Check asks for our database, with our credentials, and looks at what is there.
func (s *Store) Check(ctx context.Context) error {
	_, err := s.listNames(ctx)
	return err
}

// unusable is an error of the store itself, whichever files were asked for.
func unusable(format string, args ...any) error {
	return fmt.Errorf("%w: %w", vectors.ErrUnusable, fmt.Errorf(format, args...))
}
