package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	ownerTimeout = 10 * time.Second       // for an owner to listen, or to leave
	ownerPoll    = 100 * time.Millisecond // a file lock gives no signal
)

// Connect connects to the queue of a directory: to the server of the process
// that owns it, or else to one of our own, which listens to nobody and ends with
// the returned function. That function closes the connection too.
func Connect(ctx context.Context, o Options) (nc *nats.Conn, end func() error, err error) {
	o.Listen = ""
	err = whileOwned(ctx, o.Dir, func(ctx context.Context) (again bool, err error) {
		nc, end, err = connectOnce(ctx, o)
		return errors.Is(err, ErrOwned), err
	})
	return nc, end, err
}

// Own opens the queue of a directory for a process that stays. It waits for a short
// command that has it just now, and not for another process that stays.
func Own(ctx context.Context, o Options) (s *Server, err error) {
	err = whileOwned(ctx, o.Dir, func(context.Context) (again bool, err error) {
		if s, err = Open(o); !errors.Is(err, ErrOwned) {
			return false, err
		}
		address, failed := readAddress(o.Dir)
		return address == "" && failed == nil, errors.Join(err, failed)
	})
	return s, err
}

// whileOwned tries until it is not to be tried again, or the owner has had its time.
func whileOwned(ctx context.Context, dir string, try func(context.Context) (again bool, err error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, ownerTimeout, fmt.Errorf("%s: %w, and does not listen", dir, ErrOwned))
	defer cancel()
	poll := time.NewTicker(ownerPoll)
	defer poll.Stop()
	for {
		again, err := try(ctx)
		if !again {
			return err
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// connectOnce returns ErrOwned while there is an owner that cannot be reached:
// one that is starting, or ending, or another short command.
func connectOnce(ctx context.Context, o Options) (*nats.Conn, func() error, error) {
	s, err := Open(o)
	if err == nil {
		return s.connectAndOwn(ctx)
	}
	if !errors.Is(err, ErrOwned) {
		return nil, nil, err
	}
	address, failed := readAddress(o.Dir)
	if failed != nil {
		return nil, nil, failed
	}
	if address == "" {
		return nil, nil, err
	}
	secret, failed := readSecret(o.Dir)
	if failed != nil {
		return nil, nil, failed
	}
	nc, failed := dialServer(ctx, "nats://"+address, secret, o.Log)
	if failed != nil {
		return nil, nil, errors.Join(err, failed)
	}
	return nc, func() error { nc.Close(); return nil }, nil
}

// connectAndOwn connects to a server that ends with the connection.
func (s *Server) connectAndOwn(ctx context.Context) (*nats.Conn, func() error, error) {
	nc, err := s.Conn(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return nc, func() error { nc.Close(); return s.Close() }, nil
}

// Made says whether a directory holds a queue.
func Made(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, server.JetStreamStoreDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("looking for the queue in %s: %w", dir, err)
	}
	return err == nil, nil
}

// Running says whether some process owns the queue of a directory just now.
func Running(dir string) (bool, error) {
	lock := flock.New(filepath.Join(dir, lockFile), flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking for the owner of the queue in %s: %w", dir, err)
	case !free:
		return true, nil
	}
	return false, lock.Close()
}
