// Package embedded is the queue for those who run none: a nats-server inside
// the process, its streams in files of the data directory.
//
// Its central idea is that the store has one owner at a time. Whoever holds the
// lock file runs the server; the daemon listens on the loopback interface, so
// that other commands of this machine can use its queue, and they open the store
// themselves when no daemon runs. It knows nothing of what the queue carries.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"
)

// ErrOwned: another process runs the server of this directory.
var ErrOwned = errors.New("another pruned process owns this queue")

const (
	startTimeout = 30 * time.Second
	// maxStore is more than any disk holds. The streams have limits of their
	// own; the server's default would refuse to reserve what a small disk does
	// not have yet.
	maxStore = 1 << 50
)

// Options say where the queue lives.
type Options struct {
	Dir    string // made if missing
	Listen string // a loopback host:port, port 0 for any; empty for none
	Log    zerolog.Logger
}

// Server is a running nats-server that owns a directory.
type Server struct {
	dir    string
	lock   *flock.Flock
	held   os.FileInfo // of the lock's file
	server *server.Server
	secret string
	log    zerolog.Logger
}

// Open takes the directory's lock and starts its server. A directory that is
// owned already is ErrOwned.
func Open(o Options) (*Server, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the queue's directory: %w", err)
	}
	lock := flock.New(filepath.Join(o.Dir, lockFile))
	mine, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking the queue in %s: %w", o.Dir, err)
	}
	if !mine {
		return nil, fmt.Errorf("%s: %w", o.Dir, ErrOwned)
	}
	s := &Server{dir: o.Dir, lock: lock, log: o.Log}
	if s.held, err = os.Stat(lock.Path()); err == nil {
		err = s.startServer(o)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) startServer(o Options) error {
	// The address of an owner that died is nobody's.
	if err := removeAddress(s.dir); err != nil {
		return err
	}
	secret, err := ownSecret(s.dir)
	if err != nil {
		return err
	}
	s.secret = secret
	if err := s.runServer(o); err != nil {
		return err
	}
	if err := s.removeDamaged(o); err != nil {
		return err
	}
	if o.Listen == "" {
		return nil
	}
	return writeAddress(s.dir, s.Address())
}

// runServer runs the server.
func (s *Server) runServer(o Options) error {
	options, err := serverOptions(o, s.secret)
	if err != nil {
		return err
	}
	srv, err := server.NewServer(options)
	if err != nil {
		return fmt.Errorf("configuring the queue's server: %w", err)
	}
	log := &logger{log: o.Log}
	srv.SetLoggerV2(log, false, false, false)
	srv.Start()
	s.server = srv
	if err := awaitStart(srv, log); err != nil {
		return fmt.Errorf("starting the queue's server in %s: %w", s.dir, err)
	}
	return nil
}

// stopServer returns when its files are written.
func (s *Server) stopServer() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

// awaitStart returns when the server is ready, or as soon as it has given up.
func awaitStart(srv *server.Server, log *logger) error {
	const step = 50 * time.Millisecond
	for range startTimeout / step {
		ready := srv.ReadyForConnections(step)
		if err := log.fatal(); err != nil {
			return err
		}
		if ready && srv.JetStreamEnabled() {
			return nil
		}
	}
	return fmt.Errorf("not ready after %s", startTimeout)
}

func serverOptions(o Options, secret string) (*server.Options, error) {
	options := &server.Options{
		ServerName:         "pruned",
		Authorization:      secret,
		JetStream:          true,
		StoreDir:           o.Dir, // the server adds jetstream/
		JetStreamMaxMemory: 64 << 20,
		JetStreamMaxStore:  maxStore,
		NoSigs:             true,
		DontListen:         o.Listen == "",
	}
	if o.Listen == "" {
		return options, nil
	}
	host, port, err := parseLoopback(o.Listen)
	if err != nil {
		return nil, err
	}
	options.Host, options.Port = host, port
	return options, nil
}

// parseLoopback takes an address apart that only this machine can reach.
func parseLoopback(listen string) (string, int, error) {
	wrong := fmt.Errorf("PRUNED_NATS_LISTEN is %q, wanted a loopback address like 127.0.0.1:4222", listen)
	host, text, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0, wrong
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, wrong
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, wrong
	}
	if port == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, int(port), nil
}

// Address is where the server listens; empty if it does not.
func (s *Server) Address() string {
	if addr := s.server.Addr(); addr != nil {
		return addr.String()
	}
	return ""
}

// Conn connects to the server within the process. The connection is to be
// closed before the server is.
func (s *Server) Conn(ctx context.Context) (*nats.Conn, error) {
	return dialServer(ctx, "", s.secret, s.log, nats.InProcessServer(s.server))
}

func dialServer(ctx context.Context, url, secret string, log zerolog.Logger, more ...nats.Option) (*nats.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("connecting to the embedded queue: %w", err)
	}
	options := append([]nats.Option{
		nats.Name("pruned"),
		nats.Token(secret),
		nats.MaxReconnects(-1),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn().Err(err).Msg("the queue reports an error")
		}),
	}, more...)
	nc, err := nats.Connect(url, options...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the embedded queue: %w", err)
	}
	return nc, nil
}

// Close stops the server, waits until its files are written, and gives the
// directory up.
func (s *Server) Close() error {
	var err error
	if s.server != nil {
		if s.Present() == nil { // else it is another one's
			err = removeAddress(s.dir)
		}
		s.stopServer()
	}
	if unlocked := s.lock.Unlock(); unlocked != nil {
		err = errors.Join(err, fmt.Errorf("unlocking the queue in %s: %w", s.dir, unlocked))
	}
	return err
}
