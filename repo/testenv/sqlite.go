package testenv

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	_ "modernc.org/sqlite" // driver sqlite
)

// SQLite is one test's own webui.db.
type SQLite struct {
	Path string
	DB   *sql.DB // as the application opens it; for fixtures and checks
}

// NewSQLite copies the database that Open WebUI's own migrations make, in a
// folder of the test's. It keeps its journal as the application does.
func NewSQLite(t testing.TB) *SQLite {
	t.Helper()
	return newSQLite(t, "wal")
}

// NewSQLiteRollback is one of an application with DATABASE_ENABLE_SQLITE_WAL=false.
func NewSQLiteRollback(t testing.TB) *SQLite {
	t.Helper()
	return newSQLite(t, "delete")
}

func newSQLite(t testing.TB, journal string) *SQLite {
	t.Helper()
	path := filepath.Join(t.TempDir(), "webui.db")
	if err := CopySQLite(context.Background(), path); err != nil {
		t.Fatalf("make a test database: %v", err)
	}
	db, err := OpenSQLite(path, journal)
	if err != nil {
		t.Fatalf("open a test database: %v", err)
	}
	t.Cleanup(func() { _ = db.Close() }) // a test may have closed it
	return &SQLite{Path: path, DB: db}
}

// CopySQLite puts a webui.db with the newest schema and no rows at path.
func CopySQLite(ctx context.Context, path string) error {
	dir, err := Cached(ctx, "sqlite-"+digest(requirements, migrate, schemaRecipe()), func(ctx context.Context, dir string) error {
		python, err := python(ctx)
		if err != nil {
			return err
		}
		if err := migrateTo(ctx, python, "sqlite:///"+filepath.Join(dir, "webui.db"), Head, ""); err != nil {
			return fmt.Errorf("migrate SQLite to %s: %w", Head, err)
		}
		return makeReadable(dir)
	})
	if err != nil {
		return err
	}
	content, err := os.ReadFile(filepath.Join(dir, "webui.db"))
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

// OpenSQLite opens a database with the pragmas that the application sets
// (openwebui: internal/db.py), which leave foreign keys unchecked.
func OpenSQLite(path, journal string) (*sql.DB, error) {
	uri := url.URL{Scheme: "file", OmitHost: true, Path: path}
	uri.RawQuery = url.Values{
		"mode":    {"rw"},
		"_pragma": {"busy_timeout(5000)", "journal_mode(" + journal + ")", "synchronous(NORMAL)"},
		"_txlock": {"immediate"},
	}.Encode()
	return sql.Open("sqlite", uri.String())
}

// numbered are parameters as PostgreSQL writes them.
var numbered = regexp.MustCompile(`\$(\d+)`)

func questioned(query string) string { return numbered.ReplaceAllString(query, "?$1") }

// Exec runs a statement, with parameters $1, $2 and so on, and returns the number
// of rows it touched.
func (d *SQLite) Exec(t testing.TB, query string, args ...any) int64 {
	t.Helper()
	result, err := d.DB.ExecContext(context.Background(), questioned(query), args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// Count runs a query that answers with one number.
func (d *SQLite) Count(t testing.TB, query string, args ...any) (n int64) {
	t.Helper()
	if err := d.DB.QueryRowContext(context.Background(), questioned(query), args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
