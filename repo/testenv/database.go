package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Database is one test's own database.
type Database struct {
	URL    string // of its superuser
	Name   string
	Schema string        // where Open WebUI's tables are
	Pool   *pgxpool.Pool // finds those tables by their bare names; for fixtures and checks
	Server *Server
}

// Option is a choice for New; without one the database has the newest schema
// and no vectors.
type Option func(*request)

// request is what the options of one New add up to.
type request struct {
	template string
	schema   string
	prepare  func(ctx context.Context, url string) error
	vectors  *VectorOptions
}

func from(template, schema string) Option {
	return func(r *request) { r.template, r.schema, r.prepare = template, schema, nil }
}

// Revision asks for the schema at one of Revisions.
func Revision(revision string) Option { return from(Template(revision), "public") }

// Empty asks for a database without any table.
func Empty() Option { return from("template0", "public") }

// InSchema asks for the newest schema, with its tables in schema Schema as
// DATABASE_SCHEMA puts them.
func InSchema() Option { return from(schemaTemplate, Schema) }

// Prepared asks for a copy of a database with the newest schema that prepare has run on.
// It runs once on each server: the tests of a process have one way to prepare.
func Prepared(prepare func(ctx context.Context, url string) error) Option {
	return func(r *request) { r.prepare = prepare }
}

// Vectors asks for the application's table of vectors beside its schema.
func Vectors(options VectorOptions) Option {
	return func(r *request) { r.vectors = &options }
}

// New makes a database on the server that the tests of this process share, and
// drops it, whoever is still connected, when the test ends.
func New(t testing.TB, options ...Option) *Database {
	t.Helper()
	return sharedServer(t).New(t, options...)
}

// New makes a database on this server, dropped when the test ends.
func (s *Server) New(t testing.TB, options ...Option) *Database {
	t.Helper()
	var r request
	from(Template(Head), "public")(&r)
	for _, option := range options {
		option(&r)
	}
	db, err := s.newDatabase(context.Background(), r)
	if err != nil {
		t.Fatalf("make a test database: %v", err)
	}
	t.Cleanup(func() {
		if err := db.drop(); err != nil {
			t.Errorf("drop the test database %s: %v", db.Name, err)
		}
	})
	return db
}

func (s *Server) newDatabase(ctx context.Context, r request) (*Database, error) {
	template, err := r.template, error(nil)
	if r.prepare != nil {
		template, err = s.prepareTemplate(ctx, r.prepare)
	}
	if err != nil {
		return nil, err
	}
	name, err := s.clone(ctx, template)
	if err != nil {
		return nil, err
	}
	db := &Database{URL: s.URL(name), Name: name, Schema: r.schema, Server: s}
	config, err := pgxpool.ParseConfig(db.URL)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.RuntimeParams["search_path"] = r.schema + ",public"
	if db.Pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	if r.vectors == nil {
		return db, nil
	}
	if err := CreateChunks(ctx, db.Pool, *r.vectors); err != nil {
		return nil, errors.Join(err, db.drop())
	}
	return db, nil
}

// prepareTemplate makes the template of Prepared, unless there is one.
func (s *Server) prepareTemplate(ctx context.Context, prepare func(ctx context.Context, url string) error) (string, error) {
	s.preparing.Lock()
	defer s.preparing.Unlock()
	if s.prepared != "" {
		return s.prepared, nil
	}
	name, err := s.clone(ctx, Template(Head))
	if err == nil {
		err = prepare(ctx, s.URL(name))
	}
	if err == nil {
		err = s.closeTemplate(ctx, name)
	}
	if err == nil {
		s.prepared = name
	}
	return name, err
}

// CreateDatabase makes a database from a Template, or from "template0", and
// returns its URL; it lasts as long as the server.
func (s *Server) CreateDatabase(ctx context.Context, template string) (string, error) {
	name, err := s.clone(ctx, template)
	return s.URL(name), err
}

// clone copies files rather than write-ahead log: without fsync the checkpoints
// that this needs cost nothing. PostgreSQL 14 does nothing else.
func (s *Server) clone(ctx context.Context, template string) (string, error) {
	name := fmt.Sprintf("test_%d", s.created.Add(1))
	create := "CREATE DATABASE " + name + " TEMPLATE " + template
	if os.Getenv(olderVariable) != "14" {
		create += " STRATEGY file_copy"
	}
	return name, s.execute(ctx, superuser, create)
}

func (d *Database) drop() error {
	d.Pool.Close()
	if d.Server.process == nil {
		return nil // a test that ended its server took the database with it
	}
	return d.Server.execute(context.Background(), superuser, "DROP DATABASE IF EXISTS "+d.Name+" WITH (FORCE)")
}

// Conn opens a connection as an application would, closed when the test ends.
func (d *Database) Conn(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), d.URL)
	if err != nil {
		t.Fatalf("connect to the test database %s: %v", d.Name, err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // its server may be gone by then
	return conn
}

// Exec runs a statement and returns the number of rows it touched.
func (d *Database) Exec(t testing.TB, sql string, args ...any) int64 {
	t.Helper()
	tag, err := d.Pool.Exec(context.Background(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return tag.RowsAffected()
}

// Value returns the one value that a query answers with.
func Value[T any](t testing.TB, d *Database, sql string, args ...any) T {
	t.Helper()
	rows, _ := d.Pool.Query(context.Background(), sql, args...) // an error comes out of the rows as well
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// Column returns the values of the one column that a query answers with, in
// the query's order.
func Column[T any](t testing.TB, d *Database, sql string, args ...any) []T {
	t.Helper()
	rows, _ := d.Pool.Query(context.Background(), sql, args...) // an error comes out of the rows as well
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return values
}
