package testenv

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"testing"
)

// passwordsAsked lets fixtures in as they come everywhere.
const passwordsAsked = `
host all ` + superuser + ` 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
`

// usePasswords writes whom the server asks for passwords to its folder, and returns its settings.
func (s *Server) usePasswords() ([]string, error) {
	hba := s.scratch.path("pg_hba.conf")
	return []string{"hba_file=" + hba}, os.WriteFile(hba, []byte(passwordsAsked), 0o644)
}

// AddRole makes a role that may do everything, once it has told its password where the server
// asks for one.
func (s *Server) AddRole(t testing.TB, name, password string) {
	t.Helper()
	if err := s.execute(context.Background(), superuser, fmt.Sprintf("CREATE ROLE %s SUPERUSER LOGIN PASSWORD '%s'", name, password)); err != nil {
		t.Fatalf("make the role %s: %v", name, err) // and not its password
	}
}

// URLOf is the address of a database as a role of AddRole.
func (d *Database) URLOf(t testing.TB, role, password string) string {
	t.Helper()
	u, err := url.Parse(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, password)
	return u.String()
}
