package chroma

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"pruned/vectors"
)

// HTTPOptions say where a Chroma server is, as the application's settings do.
type HTTPOptions struct {
	URL      string // scheme, host, port; a path before /api, if it is behind one
	Tenant   string // default_tenant if empty
	Database string // default_database if empty
	Headers  map[string]string
	// What the server wants to see, if anything: one of them.
	Token        string // sent as a bearer's
	UserPassword string // user:password
}

// Server is a Chroma server.
type Server struct {
	name     string // see vectors.Info
	client   *http.Client
	base     *url.URL // of the API
	database string   // path of our database in it
	headers  http.Header
	user     *url.Userinfo
	secrets  []string // what no error may quote
}

var (
	_ vectors.Guarded         = (*Server)(nil)
	_ vectors.CollectionStore = (*Server)(nil)
)

const (
	// requestPatience bounds every request: to drop a collection of 100,000
	// chunks, a server takes a minute.
	requestPatience = 10 * time.Minute
	// silencePatience bounds the wait for the first byte of an answer to
	// anything else.
	silencePatience = time.Minute
)

// New makes a store. It sends nothing.
func New(_ context.Context, options HTTPOptions) (*Server, error) {
	base, err := url.Parse(options.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("the address of the Chroma server is no http(s)://host:port") // it may hold a password
	}
	user := base.User
	base.User = nil
	tenant, database := cmp.Or(options.Tenant, defaultTenant), cmp.Or(options.Database, defaultDatabase)
	s := &Server{
		name: fmt.Sprintf("chroma at %s, tenant %s, database %s", base, tenant, database),
		client: &http.Client{
			Timeout:       requestPatience,
			Transport:     newTransport(),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		base:     base.JoinPath("api", "v2"),
		database: fmt.Sprintf("tenants/%s/databases/%s", url.PathEscape(tenant), url.PathEscape(database)),
		headers:  http.Header{},
		user:     user,
	}
	for name, value := range options.Headers {
		s.headers.Set(name, value)
		s.secrets = append(s.secrets, value)
	}
	return s, s.authenticate(options)
}

func (s *Server) authenticate(options HTTPOptions) error {
	if options.Token != "" {
		s.headers.Set("Authorization", "Bearer "+options.Token)
		s.secrets = append(s.secrets, options.Token)
	}
	if options.UserPassword != "" {
		name, password, found := strings.Cut(options.UserPassword, ":")
		if !found {
			return errors.New("the credentials for the Chroma server are no user:password")
		}
		s.user = url.UserPassword(name, password)
	}
	if s.user != nil {
		password, _ := s.user.Password()
		s.secrets = append(s.secrets, password)
	}
	return nil
}

func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost, t.IdleConnTimeout = 2, 2, 30*time.Second
	return t
}

// Close lets go of idle connections.
func (s *Server) Close() { s.client.CloseIdleConnections() }

// String keeps secrets out of what is printed.
func (s *Server) String() string { return "chroma at " + s.base.Host }

// Info says that others may use it.
func (s *Server) Info() vectors.Info { return vectors.Info{Name: s.name} }

// Check asks for our database, with our credentials.
func (s *Server) Check(ctx context.Context) error { return s.requireDatabase(ctx) }

// requireDatabase comes before anything else: of a database that does not exist the
// server lists nothing, as if it were empty.
func (s *Server) requireDatabase(ctx context.Context) error {
	found, err := s.callAPI(ctx, silencePatience, http.MethodGet, s.database, nil, nil)
	if err == nil && !found {
		return unusable("the Chroma server at %s has no %s: set CHROMA_TENANT and CHROMA_DATABASE as the application has them", s.base.Host, s.database)
	}
	return err
}
