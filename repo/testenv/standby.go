package testenv

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
)

// Standby starts a server that follows this one and takes no writes.
func (s *Server) Standby(ctx context.Context) (*Server, error) {
	backup := func(ctx context.Context, standby *Server) error {
		return standby.tool(ctx, "pg_basebackup", "--dbname", s.URL(superuser), "--pgdata", standby.data(),
			"--write-recovery-conf", "--checkpoint", "fast", "--no-sync")
	}
	standby, err := startServer(ctx, backup, ServerOptions{Settings: s.own})
	if err != nil {
		return nil, fmt.Errorf("start a standby: %w", err)
	}
	return standby, nil
}

// Promote turns a standby into a server that takes writes.
func (s *Server) Promote(ctx context.Context) error {
	return s.tool(ctx, "pg_ctl", "promote", "--wait", "--pgdata", s.data())
}

// Dump writes a database of this server to a file, which lasts as long as the
// server.
func (s *Server) Dump(ctx context.Context, database string) (file string, err error) {
	file = s.scratch.path(database + ".dump")
	return file, s.tool(ctx, "pg_dump", "--dbname", s.URL(database), "--format", "custom", "--file", file)
}

// Restore makes a database from a file of Dump, on this or another server,
// and returns its URL.
func (s *Server) Restore(ctx context.Context, file string) (string, error) {
	url, err := s.CreateDatabase(ctx, "template0")
	if err != nil {
		return "", err
	}
	if err := s.tool(ctx, "pg_restore", "--dbname", url, "--exit-on-error", file); err != nil {
		return "", fmt.Errorf("restore %s: %w", filepath.Base(file), err)
	}
	return url, nil
}

// NewServer starts a server of the test's own and stops it when the test ends.
func NewServer(t testing.TB, options ServerOptions) *Server {
	t.Helper()
	s, err := StartServer(context.Background(), options)
	return untilCleanup(t, s, err)
}

// NewStandby is Standby for a test; the standby is stopped when the test ends.
func (s *Server) NewStandby(t testing.TB) *Server {
	t.Helper()
	standby, err := s.Standby(context.Background())
	return untilCleanup(t, standby, err)
}

func untilCleanup(t testing.TB, s *Server, err error) *Server {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stop a test server: %v", err)
		}
	})
	return s
}
