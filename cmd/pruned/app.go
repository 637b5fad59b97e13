package main

import (
	"context"
	"errors"

	"github.com/rs/zerolog"

	"pruned/consumer"
	"pruned/consumer/embedded"
	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/sqlite"
	"pruned/vectors"
)

// parts are what commands work with, made in a straight line, ended in reverse.
type parts struct {
	log    zerolog.Logger
	db     repo.Engine
	queue  *consumer.Queue
	server *embedded.Server // of an embedded queue that is this process's

	store     vectors.Store
	storeInfo consumer.StoreInfo
	blobs     repo.Blobs
	blobsInfo consumer.StoreInfo

	tombstones *consumer.Executor // see executor

	ends []func() error
}

// end ends every part that was made, the last one first.
func (p *parts) end() error {
	var errs []error
	for i := len(p.ends) - 1; i >= 0; i-- {
		errs = append(errs, p.ends[i]())
	}
	p.ends = nil
	return errors.Join(errs...)
}

func (p *parts) onEnd(fn func() error) { p.ends = append(p.ends, fn) }

// with makes parts in order, calls fn and ends them.
func (c *command) with(ctx context.Context, fn func(*parts) error, makers ...maker) (err error) {
	p := &parts{log: c.logger()}
	defer func() { err = errors.Join(err, p.end()) }()
	for _, maker := range makers {
		if err := maker(ctx, c, p); err != nil {
			return err
		}
	}
	return fn(p)
}

// maker makes one of the parts.
type maker = func(context.Context, *command, *parts) error

// database opens Open WebUI's database with the engine that it is for.
func database(ctx context.Context, c *command, p *parts) error {
	opened, err := c.openEngine(ctx)
	if err != nil {
		return err
	}
	p.db = opened
	p.onEnd(func() error { opened.Close(); return nil })
	return nil
}

// migrated opens it, and brings our own tables up to date.
func migrated(ctx context.Context, c *command, p *parts) error {
	if err := database(ctx, c, p); err != nil {
		return err
	}
	return p.db.Migrate(ctx)
}

func (c *command) openEngine(ctx context.Context) (repo.Engine, error) {
	if path, ok := c.cli.Database.SQLite(); ok {
		return c.openSQLite(ctx, path)
	}
	return c.openPostgres(ctx)
}

func (c *command) openPostgres(ctx context.Context) (repo.Engine, error) {
	settings := c.cli.Database
	db, err := postgres.Open(ctx, postgres.Options{
		URL: string(settings.URL), Schema: settings.Schema,
		MaxConns: int32(c.cli.Consumer.Workers) + 4, // passes, the tombstones, a sweep and its lead
		Folder:   c.cli.Storage.DataDir,
		Strict:   c.cli.Consumer.Strict, Ignore: settings.Ignore, CitationsIgnore: settings.Citations == "ignore",
	})
	if err != nil {
		return nil, err
	}
	return db, nil
}

// sqliteMemory is what SQLite keeps of pages, of both databases, and its code.
const sqliteMemory = 22 << 20

func (c *command) openSQLite(ctx context.Context, path string) (repo.Engine, error) {
	leaveRoom(sqliteMemory)
	settings := c.cli.Database
	db, err := sqlite.Open(ctx, sqlite.Options{
		Path: path, Ignore: settings.Ignore, CitationsIgnore: settings.Citations == "ignore",
	})
	if err != nil {
		return nil, err
	}
	return db, nil
}
