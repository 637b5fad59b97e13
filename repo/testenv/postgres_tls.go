package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Certified is the role that a server with TLS admits by a client certificate of that name
// alone. It may do everything.
const Certified = "certified"

// certifiedOnly lets fixtures in as they come everywhere.
const certifiedOnly = `
hostssl all ` + Certified + ` 127.0.0.1/32 cert
host all ` + superuser + ` 127.0.0.1/32 trust
`

// TLS is what a server shows, and whose clients it admits.
type TLS struct {
	Certificate Certificate
	ClientCA    string
}

// NewTLSServer starts a server that speaks TLS. The build that comes with pgvector cannot:
// this is an earlier one of the same version, without it.
func NewTLSServer(t testing.TB, tls TLS) *Server {
	t.Helper()
	s := NewServer(t, ServerOptions{TLS: &tls})
	if err := s.execute(context.Background(), superuser, "CREATE ROLE "+Certified+" LOGIN SUPERUSER"); err != nil {
		t.Fatal(err)
	}
	return s
}

// tlsPostgres is the folder of a build with TLS.
func tlsPostgres(ctx context.Context) (string, error) {
	older, err := olderBuild()
	if err != nil {
		return "", err
	}
	if older == "" {
		older = pgcryptoVersion
	}
	return olderPostgres(ctx, older)
}

// Show has a running server show another certificate to whoever connects from now on.
func (s *Server) Show(t testing.TB, c Certificate) {
	t.Helper()
	ctx := context.Background()
	before, err := s.loadedAt(ctx)
	if err == nil {
		err = s.installCertificate(c)
	}
	if err == nil {
		err = s.execute(ctx, superuser, "SELECT pg_reload_conf()")
	}
	for now := before; err == nil && now == before; {
		now, err = s.loadedAt(ctx)
	}
	if err != nil {
		t.Fatalf("show another certificate: %v", err)
	}
}

// loadedAt is when a session that begins now says that the server read its settings.
func (s *Server) loadedAt(ctx context.Context) (at string, err error) {
	pool, err := pgxpool.New(ctx, s.URL(superuser))
	if err != nil {
		return "", err
	}
	defer pool.Close()
	return at, pool.QueryRow(ctx, "SELECT pg_conf_load_time()::text").Scan(&at)
}

// useTLS writes what the server needs to its folder, and returns its settings.
func (s *Server) useTLS(tls TLS) ([]string, error) {
	hba, ca := s.scratch.path("pg_hba.conf"), s.scratch.path("clients.pem")
	err := errors.Join(
		s.installCertificate(tls.Certificate), s.installFile(tls.ClientCA, ca),
		os.WriteFile(hba, []byte(certifiedOnly), 0o644),
	)
	return []string{
		"ssl=on", "hba_file=" + hba, "ssl_ca_file=" + ca,
		"ssl_cert_file=" + s.scratch.path("server.crt"), "ssl_key_file=" + s.scratch.path("server.key"),
	}, err
}

func (s *Server) installCertificate(c Certificate) error {
	return errors.Join(s.installFile(c.Cert, s.scratch.path("server.crt")), s.installFile(c.Key, s.scratch.path("server.key")))
}

func (s *Server) installFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		return fmt.Errorf("install %s: %w", to, err)
	}
	return s.account.own(to)
}
