package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"pruned/consumer"
	"pruned/consumer/embedded"
	"pruned/repo/blobs"
	"pruned/repo/postgres"
	"pruned/vectors"
	"pruned/vectors/pgvector"
)

// parts are what commands work with, made in a straight line, ended in reverse.
type parts struct {
	log   zerolog.Logger
	db    *postgres.DB
	store vectors.Store
	blobs *blobs.Local
	queue *consumer.Queue

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
func (c *command) with(ctx context.Context, fn func(*parts) error, makers ...func(context.Context, *command, *parts) error) (err error) {
	p := &parts{log: c.logger()}
	defer func() { err = errors.Join(err, p.end()) }()
	for _, maker := range makers {
		if err := maker(ctx, c, p); err != nil {
			return err
		}
	}
	return fn(p)
}

// database connects to Open WebUI's database.
func database(ctx context.Context, c *command, p *parts) error {
	settings := c.cli.Database
	db, err := postgres.Open(ctx, postgres.Options{
		URL: string(settings.URL), Schema: settings.Schema,
		MaxConns: int32(c.cli.Consumer.Workers) + 2, // passes, and the tombstones
	})
	if err != nil {
		return err
	}
	p.db = db
	p.onEnd(func() error { db.Close(); return nil })
	return nil
}

// migrated connects, and brings our own tables up to date.
func migrated(ctx context.Context, c *command, p *parts) error {
	if err := database(ctx, c, p); err != nil {
		return err
	}
	return p.db.Migrate(ctx)
}

// vectorStore opens the vector store; what lives in the database must live in
// the same one.
func vectorStore(ctx context.Context, c *command, p *parts) error {
	settings := c.cli.Vectors
	if settings.DB == "none" {
		p.store = vectors.None{}
		return nil
	}
	store, err := pgvector.New(ctx, pgvector.Options{
		URL: string(settings.URL), Crypto: settings.PGCrypto, CryptoKey: pgvector.Key(settings.PGCryptoKey),
	})
	if err != nil {
		return err
	}
	p.store = store
	p.onEnd(func() error { store.Close(); return nil })
	identity := p.db.Identity()
	if err := store.SameDatabase(ctx, identity.System, identity.Database); err != nil {
		return err
	}
	return store.Check(ctx)
}

// uploads opens the folder of the bytes.
func uploads(ctx context.Context, c *command, p *parts) error {
	local, err := blobs.OpenLocal(c.cli.Storage.Uploads())
	if err != nil {
		return err
	}
	p.blobs = local
	p.onEnd(local.Close)
	return local.Check(ctx)
}

// ownQueue is the queue of the daemon: an embedded one belongs to this process.
func ownQueue(ctx context.Context, c *command, p *parts) error {
	if !c.cli.Queue.Embedded() {
		return sharedQueue(ctx, c, p)
	}
	server, err := embedded.Open(c.embedded(p, c.cli.Queue.Listen))
	if err != nil {
		return fmt.Errorf("start the embedded queue: %w", err)
	}
	p.onEnd(server.Close)
	nc, err := server.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to the embedded queue: %w", err)
	}
	p.onEnd(func() error { nc.Close(); return nil })
	return openStreams(ctx, c, p, nc, true)
}

// sharedQueue is the queue of every other command.
func sharedQueue(ctx context.Context, c *command, p *parts) error {
	q := c.cli.Queue
	if q.Embedded() {
		nc, end, err := embedded.Connect(ctx, c.embedded(p, ""))
		if err != nil {
			return fmt.Errorf("open the embedded queue: %w", err)
		}
		p.onEnd(end)
		return openStreams(ctx, c, p, nc, false)
	}
	nc, err := consumer.Connect(ctx, consumer.ConnectOptions{
		URL: string(q.URL), Creds: q.Creds, NKeyFile: q.NKey, CA: q.CA, Cert: q.Cert, Key: q.Key, Name: "pruned", Log: p.log,
	})
	if err != nil {
		return err
	}
	p.onEnd(func() error { nc.Close(); return nil })
	return openStreams(ctx, c, p, nc, false)
}

func (c *command) embedded(p *parts, listen string) embedded.Options {
	return embedded.Options{Dir: c.cli.Queue.DataDir, Listen: listen, Log: p.log}
}

func openStreams(ctx context.Context, c *command, p *parts, nc *nats.Conn, owner bool) (err error) {
	q := c.cli.Queue
	p.queue, err = consumer.Open(ctx, nc, consumer.StreamOptions{
		Name: q.Stream, Installation: p.db.Identity().String(), Retention: q.Retention,
		MaxBytes: int64(q.MaxBytes), Embedded: owner, Log: p.log,
	})
	return err
}
