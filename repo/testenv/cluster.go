package testenv

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// Head is the newest revision of Open WebUI's schema, the default of New.
const Head = "head"

// Revisions are those that a template database exists for, oldest first:
// knowledge_file, chat_file, chat_message, everything.
var Revisions = []string{"3e0e00844bb0", "c440947495f3", "8452d01d26d7", Head}

// Schema is where the tables are in a database made with InSchema.
const Schema = "owui"

const (
	superuser      = "postgres"
	schemaTemplate = "owui_head_schema"
)

//go:embed migrate.py
var migrate []byte

// cleanEnv is the environment of PostgreSQL's programs: nothing of the
// caller's, whose PG* variables could lead elsewhere.
var cleanEnv = []string{"LC_ALL=C", "TZ=UTC", "PATH=/usr/bin:/bin"}

// Template is the template database of one of Revisions, for CreateDatabase.
func Template(revision string) string { return "owui_" + revision }

// initCluster makes an empty cluster. Its locale comes with PostgreSQL, if that is
// new enough, so it is the same on every machine.
func initCluster(ctx context.Context, s *Server) error {
	args := []string{
		"--pgdata", s.data(), "--username", superuser, "--auth", "trust", "--no-sync",
		"--encoding", "UTF8", "--locale", "C.UTF-8",
	}
	older, err := olderBuild()
	if err != nil {
		return err
	}
	if older == "" {
		args = append(args, "--locale-provider", "builtin")
	}
	return s.tool(ctx, "initdb", args...)
}

// copyTemplateCluster makes the cluster that holds the template databases. cp
// shares the blocks where the file system can.
func copyTemplateCluster(ctx context.Context, s *Server) error {
	cluster, err := templateCluster(ctx)
	if err != nil {
		return err
	}
	err = command{
		program: "cp", args: []string{"-a", filepath.Join(cluster, "data"), s.data()},
		env: cleanEnv, dir: s.scratch.dir, as: s.account,
	}.run(ctx)
	return err
}

// templateCluster is the folder of a cluster, cleanly shut down, with the
// template databases.
func templateCluster(ctx context.Context) (string, error) {
	older, err := olderBuild()
	if err != nil {
		return "", err
	}
	recipe := digest(requirements, migrate, []byte(cmp.Or(older, postgresVersion)), []byte(strings.Join(Revisions, " ")), schemaRecipe())
	return Cached(ctx, "cluster-"+recipe, func(ctx context.Context, dir string) (err error) {
		// Little WAL is kept, because each test process copies it.
		s, err := startServer(ctx, initCluster, ServerOptions{Settings: []string{"max_wal_size=64MB", "min_wal_size=32MB"}})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Stop()) }()
		if err := makeTemplates(ctx, s); err != nil {
			return err
		}
		if err := s.Shutdown(); err != nil {
			return err
		}
		if err := s.account.own(dir); err != nil {
			return err
		}
		err = command{program: "cp", args: []string{"-a", s.data(), dir}, as: s.account, dir: dir}.run(ctx)
		return err
	})
}

func makeTemplates(ctx context.Context, s *Server) error {
	python, err := python(ctx)
	if err != nil {
		return err
	}
	if Release() != "" { // of which not all can migrate into a schema
		return makeTemplate(ctx, s, python, Template(Head), Head, "")
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	for _, revision := range Revisions {
		group.Go(func() error { return makeTemplate(ctx, s, python, Template(revision), revision, "") })
	}
	group.Go(func() error { return makeTemplate(ctx, s, python, schemaTemplate, Head, Schema) })
	return group.Wait()
}

// makeTemplate has Open WebUI's own migrations make a database, which is then
// closed: only databases without connections can be cloned.
func makeTemplate(ctx context.Context, s *Server, python, database, revision, schema string) error {
	if err := s.execute(ctx, superuser, "CREATE DATABASE "+database); err != nil {
		return err
	}
	if schema != "" {
		if err := s.execute(ctx, database, "CREATE SCHEMA "+schema); err != nil {
			return err
		}
	}
	if err := migrateTo(ctx, python, s.URL(database), revision, schema); err != nil {
		return fmt.Errorf("migrate %s to %s: %w", database, revision, err)
	}
	if err := s.execute(ctx, database, "VACUUM (ANALYZE)"); err != nil {
		return err
	}
	return s.closeTemplate(ctx, database)
}

// Migrate has Open WebUI's own migrations bring a database to a revision, beside whoever
// uses it.
func Migrate(ctx context.Context, url, revision string) error {
	python, err := python(ctx)
	if err != nil {
		return err
	}
	return migrateTo(ctx, python, url, revision, "")
}

func (s *Server) closeTemplate(ctx context.Context, database string) error {
	return s.execute(ctx, superuser, "ALTER DATABASE "+database+" WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")
}

// runMigrations brings a database to a revision by the newest release's migrations.
func runMigrations(ctx context.Context, python, url, revision, schema string) error {
	dir, err := os.MkdirTemp("", "pruned-migrate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	script := filepath.Join(dir, "migrate.py")
	if err := os.WriteFile(script, migrate, 0o644); err != nil {
		return err
	}
	return runApplication(ctx, python, []string{script, revision},
		"ENABLE_DB_MIGRATIONS=false", "DATABASE_URL="+url, "DATABASE_SCHEMA="+schema)
}

// runApplication runs Python that imports the application, with the folders that it wants to
// write to when it is merely imported.
func runApplication(ctx context.Context, python string, args []string, settings ...string) error {
	dir, err := os.MkdirTemp("", "pruned-import-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"data", "static", filepath.Join("frontend", "static")} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	env := append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "USE_SLIM_DOCKER=true", "WEBUI_SECRET_KEY=test",
		"DATA_DIR=" + filepath.Join(dir, "data"), "STATIC_DIR=" + filepath.Join(dir, "static"),
		"FRONTEND_BUILD_DIR=" + filepath.Join(dir, "frontend"),
	}, settings...)
	return command{program: python, args: args, dir: dir, env: env}.run(ctx)
}

// execute runs one statement on a connection of its own.
func (s *Server) execute(ctx context.Context, database, sql string) error {
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}
