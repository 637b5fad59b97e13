package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"pruned/consumer"
	"pruned/consumer/embedded"
	"pruned/consumer/reap"
	"pruned/repo"
	"pruned/vectors"
)

// parts are what commands work with, made in a straight line, ended in reverse.
type parts struct {
	log    zerolog.Logger
	db     repo.Engine
	queue  *consumer.Queue
	server *embedded.Server // of an embedded queue that is this process's

	store     vectors.Store
	storeInfo repo.StoreInfo
	blobs     repo.Blobs
	blobsInfo repo.StoreInfo

	tombstones *reap.Reaper // see executor

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

// ownQueue is the queue of the daemon: an embedded one belongs to this process.
func ownQueue(ctx context.Context, c *command, p *parts) error {
	if !c.cli.Queue.Embedded() {
		return sharedQueue(ctx, c, p)
	}
	server, err := embedded.Own(ctx, c.embedded(p, c.cli.Queue.Listen))
	if err != nil {
		return fmt.Errorf("start the embedded queue (PRUNED_NATS_LISTEN=%s): %w", c.cli.Queue.Listen, err)
	}
	p.server = server
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
	nc, err := c.connectQueue(ctx, p)
	if err != nil {
		return err
	}
	return openStreams(ctx, c, p, nc, false)
}

var errNotThere = errors.New("not there yet")

// foundQueue is the queue of those who only look: nothing is made, and where there
// is none that is errNotThere.
func foundQueue(ctx context.Context, c *command, p *parts) error {
	if q := c.cli.Queue; q.Embedded() {
		if made, err := embedded.Made(q.DataDir); err != nil {
			return err
		} else if !made {
			return fmt.Errorf("the embedded queue in %s is %w", q.DataDir, errNotThere)
		}
	}
	nc, err := c.connectQueue(ctx, p)
	if err != nil {
		return err
	}
	p.queue, err = consumer.Find(ctx, nc, c.streams(p, false))
	return err
}

func (c *command) connectQueue(ctx context.Context, p *parts) (*nats.Conn, error) {
	q := c.cli.Queue
	if q.Embedded() {
		nc, end, err := embedded.Connect(ctx, c.embedded(p, ""))
		if err != nil {
			return nil, fmt.Errorf("open the embedded queue: %w", err)
		}
		p.onEnd(end)
		return nc, nil
	}
	nc, err := consumer.Connect(ctx, consumer.ConnectOptions{
		URL: string(q.URL), Creds: q.Creds, NKeyFile: q.NKey, CA: q.CA, Cert: q.Cert, Key: q.Key, Name: "pruned", Log: p.log,
	})
	if err != nil {
		return nil, err
	}
	p.onEnd(func() error { nc.Close(); return nil })
	return nc, nil
}

func (c *command) embedded(p *parts, listen string) embedded.Options {
	return embedded.Options{Dir: c.cli.Queue.DataDir, Listen: listen, Log: p.log}
}

func openStreams(ctx context.Context, c *command, p *parts, nc *nats.Conn, owner bool) (err error) {
	// A database is told from its copies by what our own tables remember.
	if err := p.db.Migrate(ctx); err != nil {
		return err
	}
	p.queue, err = consumer.Open(ctx, nc, c.streams(p, owner))
	return err
}

func (c *command) streams(p *parts, owner bool) consumer.StreamOptions {
	q := c.cli.Queue
	return consumer.StreamOptions{
		Name: q.Stream, Installation: p.db.Identity().Key, Retention: q.Retention,
		MaxBytes: int64(q.MaxBytes), Embedded: owner, Log: p.log,
	}
}
