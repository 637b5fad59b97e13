package main

import (
	"context"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/sqlite"
)

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
