package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"

	"pruned/repo/repotest"
)

// lab is a scratch server, a folder, and the program.
type lab struct {
	server *repotest.Server
	dir    string
	binary string
	worlds int

	verbose bool // show what the program logs
}

// The server is as an operator's: durable, with room for the data.
var settings = []string{"fsync=on", "full_page_writes=on", "shared_buffers=2GB", "max_wal_size=8GB", "maintenance_work_mem=256MB"}

// newLab builds the program and starts a server of its own.
func newLab(ctx context.Context, further ...string) (l *lab, err error) {
	l = &lab{}
	if l.dir, err = os.MkdirTemp("", "pruned-lab-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	l.binary = filepath.Join(l.dir, "pruned.bin")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", l.binary, "pruned/cmd/pruned")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return l, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	l.server, err = repotest.StartServer(ctx, repotest.ServerOptions{Settings: append(slices.Clone(settings), further...)})
	return l, err
}

func (l *lab) close() error {
	var errs []error
	if l.server != nil {
		errs = append(errs, l.server.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(l.dir))...)
}

// world is one installation in the lab.
type world struct {
	*lab
	*repotest.Seeded
	url, dir string
}

// seed makes a world. Its data folder is made, whether bytes are seeded or not.
func (l *lab) seed(ctx context.Context, o repotest.SeedOptions, bytes bool) (*world, error) {
	url, err := l.server.CreateDatabase(ctx, repotest.Template(repotest.Head))
	if err != nil {
		return nil, err
	}
	w := &world{lab: l, url: url}
	if err := w.makeFolder(); err != nil {
		return nil, err
	}
	if bytes {
		o.UploadDir = w.uploads()
	}
	return w, w.connected(ctx, func(conn *pgx.Conn) (err error) {
		if w.Seeded, err = repotest.Seed(ctx, conn, o); err != nil {
			return err
		}
		// What autovacuum would have done to data that has lain for a month.
		_, err = conn.Exec(ctx, "VACUUM ANALYZE")
		return err
	})
}

// uploads is where the application keeps bytes.
func (w *world) uploads() string { return filepath.Join(w.dir, "uploads") }

func (w *world) makeFolder() error {
	w.worlds++
	w.dir = filepath.Join(w.lab.dir, fmt.Sprintf("world-%d", w.worlds))
	return os.MkdirAll(w.uploads(), 0o755)
}

// copy makes a world with the same data.
func (w *world) copy(ctx context.Context) (*world, error) {
	config, err := pgx.ParseConfig(w.url)
	if err != nil {
		return nil, err
	}
	url, err := w.server.CreateDatabase(ctx, config.Database)
	if err != nil {
		return nil, err
	}
	c := &world{lab: w.lab, Seeded: w.Seeded, url: url}
	return c, c.makeFolder()
}

// drop makes room.
func (w *world) drop(ctx context.Context) error {
	config, err := pgx.ParseConfig(w.url)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(w.dir); err != nil {
		return err
	}
	admin := &world{url: w.server.URL("postgres")}
	return admin.connected(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "DROP DATABASE "+pgx.Identifier{config.Database}.Sanitize()+" WITH (FORCE)")
		return err
	})
}

func (w *world) connected(ctx context.Context, fn func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	return errors.Join(fn(conn), conn.Close(ctx))
}

// count answers a query with one number.
func (w *world) count(ctx context.Context, sql string, args ...any) (n int64, err error) {
	err = w.connected(ctx, func(conn *pgx.Conn) error { return conn.QueryRow(ctx, sql, args...).Scan(&n) })
	return n, err
}
