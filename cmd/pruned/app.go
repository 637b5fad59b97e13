package main

import (
	"context"
	"errors"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"pruned/consumer"
	"pruned/consumer/embedded"
	"pruned/consumer/reap"
	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/sqlite"
	"pruned/vectors"
)

// app is what commands work with, opened in a straight line, closed in reverse.
type app struct {
	log    zerolog.Logger
	tracer trace.Tracer // nil: nobody traces
	db     repo.Engine
	queue  *consumer.Queue
	// control follows what people say, where the queue was opened by more than a look.
	control *consumer.Follower
	server  *embedded.Server // of an embedded queue that is this process's

	store vectors.Store
	blobs repo.Blobs

	tombstones *reap.Reaper // see executor

	closers []func() error
}

// close closes everything that was opened, the last first.
func (a *app) close() error {
	var errs []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		errs = append(errs, a.closers[i]())
	}
	a.closers = nil
	return errors.Join(errs...)
}

func (a *app) onClose(fn func() error) { a.closers = append(a.closers, fn) }

// runWith opens components in order, calls fn and closes them.
func (c *command) runWith(ctx context.Context, fn func(*app) error, components ...component) (err error) {
	a := &app{log: c.newLogger(), tracer: c.tracer}
	defer func() { err = errors.Join(err, a.close()) }()
	for _, open := range components {
		if err := open(ctx, c, a); err != nil {
			return err
		}
	}
	return fn(a)
}

// component opens one part of an app.
type component = func(context.Context, *command, *app) error

// openDatabase opens Open WebUI's database with the engine that it is for.
func openDatabase(ctx context.Context, c *command, a *app) error {
	open := c.openPostgres
	if _, ok := c.cli.Database.SQLite(); ok {
		open = c.openSQLite
	}
	opened, err := open(ctx)
	if err != nil {
		return err
	}
	a.db = opened
	a.onClose(func() error { opened.Close(); return nil })
	return nil
}

// openMigrated opens the database, and brings our own tables up to date.
func openMigrated(ctx context.Context, c *command, a *app) error {
	if err := openDatabase(ctx, c, a); err != nil {
		return err
	}
	return a.db.Migrate(ctx)
}

func (c *command) openPostgres(ctx context.Context) (repo.Engine, error) {
	settings := c.cli.Database
	db, err := postgres.Open(ctx, postgres.Options{
		URL: string(settings.URL), Schema: settings.Schema,
		MaxConns: int32(c.cli.Consumer.Workers) + 5, // passes, the tombstones, a sweep and its lead, a scrape
		Folder:   c.cli.Storage.DataDir,
		Strict:   c.cli.Consumer.Strict, Ignore: settings.Ignore, CitationsIgnore: settings.Citations == "ignore",
		DepartedIgnore: settings.Departed == "ignore", RemovesDangling: settings.RemovesDangling(),
	})
	if err != nil {
		return repo.Engine{}, err
	}
	return repo.NewEngine(db), nil
}

// sqliteMemory is what SQLite keeps of pages, of both databases, and its code.
const sqliteMemory = 22 << 20

func (c *command) openSQLite(ctx context.Context) (repo.Engine, error) {
	lowerLimit(sqliteMemory)
	settings := c.cli.Database
	path, _ := settings.SQLite()
	db, err := sqlite.Open(ctx, sqlite.Options{
		Path: path, Ignore: settings.Ignore, CitationsIgnore: settings.Citations == "ignore",
		DepartedIgnore: settings.Departed == "ignore",
	})
	if err != nil {
		return repo.Engine{}, err
	}
	return repo.NewEngine(db), nil
}
