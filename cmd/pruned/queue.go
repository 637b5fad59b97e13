package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"pruned/consumer"
	"pruned/consumer/embedded"
)

// openOwnQueue opens the queue of the daemon: an embedded one belongs to this process.
func openOwnQueue(ctx context.Context, c *command, a *app) error {
	if !c.cli.Queue.IsEmbedded() {
		return openSharedQueue(ctx, c, a)
	}
	server, err := embedded.Own(ctx, c.embeddedOptions(a, c.cli.Queue.Listen))
	if err != nil {
		return fmt.Errorf("start the embedded queue (PRUNED_NATS_LISTEN=%s): %w", c.cli.Queue.Listen, err)
	}
	a.server = server
	a.onClose(server.Close)
	nc, err := server.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to the embedded queue: %w", err)
	}
	a.onClose(func() error { nc.Close(); return nil })
	return openStreams(ctx, c, a, nc, true)
}

// openSharedQueue opens the queue of every other command.
func openSharedQueue(ctx context.Context, c *command, a *app) error {
	nc, err := c.connectQueue(ctx, a)
	if err != nil {
		return err
	}
	return openStreams(ctx, c, a, nc, false)
}

var errNotThere = errors.New("not there yet")

// openFoundQueue opens the queue for commands that only look: it makes nothing, and
// fails with errNotThere where there is none.
func openFoundQueue(ctx context.Context, c *command, a *app) error {
	if q := c.cli.Queue; q.IsEmbedded() {
		if made, err := embedded.Made(q.DataDir); err != nil {
			return err
		} else if !made {
			return fmt.Errorf("the embedded queue in %s is %w", q.DataDir, errNotThere)
		}
	}
	nc, err := c.connectQueue(ctx, a)
	if err != nil {
		return err
	}
	a.queue, err = consumer.Find(ctx, nc, c.streamOptions(a, false))
	return err
}

func (c *command) connectQueue(ctx context.Context, a *app) (*nats.Conn, error) {
	q := c.cli.Queue
	if q.IsEmbedded() {
		nc, end, err := embedded.Connect(ctx, c.embeddedOptions(a, ""))
		if err != nil {
			return nil, fmt.Errorf("open the embedded queue: %w", err)
		}
		a.onClose(end)
		return nc, nil
	}
	nc, err := consumer.Connect(ctx, consumer.ConnectOptions{
		URL: string(q.URL), Creds: q.Creds, NKeyFile: q.NKey, CA: q.CA, Cert: q.Cert, Key: q.Key, Name: "pruned", Log: a.log,
	})
	if err != nil {
		return nil, err
	}
	a.onClose(func() error { nc.Close(); return nil })
	return nc, nil
}

func (c *command) embeddedOptions(a *app, listen string) embedded.Options {
	return embedded.Options{Dir: c.cli.Queue.DataDir, Listen: listen, Log: a.log}
}

func openStreams(ctx context.Context, c *command, a *app, nc *nats.Conn, owner bool) (err error) {
	// A database is told from its copies by what our own tables remember.
	if err := a.db.Migrate(ctx); err != nil {
		return err
	}
	if a.queue, err = consumer.Open(ctx, nc, c.streamOptions(a, owner)); err != nil {
		return err
	}
	if a.control, err = a.queue.Follow(ctx); err != nil {
		return err
	}
	a.onClose(func() error { a.control.Close(); return nil })
	return nil
}

func (c *command) streamOptions(a *app, owner bool) consumer.StreamOptions {
	q := c.cli.Queue
	return consumer.StreamOptions{
		Name: q.Stream, Installation: a.db.Identity().Key, Retention: q.Retention,
		MaxBytes: int64(q.MaxBytes), Embedded: owner, Log: a.log, Tracer: c.tracer,
		Deleted: c.cli.Notify.Deleted,
	}
}
