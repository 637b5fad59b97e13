package testenv

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	startPatience = 60 * time.Second
	stopPatience  = 30 * time.Second
)

// ServerOptions are the choices for a server of one's own.
type ServerOptions struct {
	Empty     bool     // a cluster without the template databases
	OnDisk    bool     // as an operator's, never in memory
	Settings  []string // more settings, as "name=value"
	TLS       *TLS     // speaks it, with a build that lacks pgvector
	Clock     bool     // can be moved: see SetClock
	Passwords bool     // are asked of every role but the superuser: see AddRole
}

// Server is a PostgreSQL server of its own, with its own data folder. Its
// methods are for one goroutine; its databases are for all.
type Server struct {
	bin     string
	account account
	scratch *scratch
	own     []string // settings beyond the default ones, as "name=value"
	env     []string // beyond cleanEnv
	port    int
	process *process
	created atomic.Int64

	preparing sync.Mutex
	prepared  string // the template of Prepared; empty while there is none
}

// defaultSettings favour speed over safety: the data is thrown away.
var defaultSettings = []string{
	"listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200",
	"fsync=off", "shared_buffers=256MB", "maintenance_work_mem=256MB", "max_wal_size=1GB",
	"deadlock_timeout=5s",                                                 // of which pruned waits a tenth: other tests lock shared catalogs
	"track_counts=on", "autovacuum=on", "dynamic_shared_memory_type=mmap", // /dev/shm is small in containers
}

// StartServer starts a server whose cluster holds the template databases. ctx
// bounds the start only; the server runs until Stop, or until this process ends.
func StartServer(ctx context.Context, options ServerOptions) (*Server, error) {
	if options.Empty {
		return startServer(ctx, initCluster, options)
	}
	return startServer(ctx, copyTemplateCluster, options)
}

// startServer starts a server on the data folder that makeData makes.
func startServer(ctx context.Context, makeData func(ctx context.Context, s *Server) error, options ServerOptions) (_ *Server, err error) {
	s := &Server{own: options.Settings}
	build := postgres
	if options.TLS != nil {
		build = tlsPostgres
	}
	install, err := build(ctx)
	if err != nil {
		return nil, err
	}
	s.bin = filepath.Join(install, "bin")
	if s.account, err = serverAccount(); err != nil {
		return nil, err
	}
	if s.scratch, err = newScratch(ctx, s.account, options.OnDisk); err != nil {
		return nil, err
	}
	err = makeData(ctx, s)
	if err == nil && options.TLS != nil {
		var settings []string
		settings, err = s.useTLS(*options.TLS)
		s.own = slices.Concat(s.own, settings)
	}
	if err == nil && options.Passwords {
		var settings []string
		settings, err = s.usePasswords()
		s.own = slices.Concat(s.own, settings)
	}
	if err == nil && options.Clock {
		s.env, err = s.movableClock(ctx)
	}
	if err == nil {
		err = s.configure()
	}
	if err == nil {
		err = s.startOnFreePort(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.scratch.remove())
	}
	return s, nil
}

// configure writes the settings to the file, where ALTER SYSTEM can overrule
// them; it could not on the command line. The last of equal names counts.
func (s *Server) configure() error {
	var text strings.Builder
	for _, setting := range slices.Concat(defaultSettings, s.own) {
		name, value, _ := strings.Cut(setting, "=")
		fmt.Fprintf(&text, "%s = '%s'\n", name, strings.ReplaceAll(value, "'", "''"))
	}
	file, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("configure the server: %w", err)
	}
	_, err = file.WriteString(text.String())
	return errors.Join(err, file.Close())
}

// startOnFreePort tries again, because between finding a port and using it
// another process can take it.
func (s *Server) startOnFreePort(ctx context.Context) error {
	var failures []error
	for range 3 {
		port, err := TakePort()
		if err != nil {
			return err
		}
		s.port = port
		if err = s.start(ctx); err == nil {
			return nil
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

func (s *Server) start(ctx context.Context) error {
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the log of the server: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), "-D", s.data(), "-p", fmt.Sprint(s.port))
	cmd.Dir, cmd.Env = s.scratch.dir, slices.Concat(cleanEnv, s.env)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = s.account.mortal()
	if s.process, err = startProcess(cmd); err != nil {
		return err
	}
	return s.awaitReady(ctx)
}

// awaitReady tries to connect until the server answers, ends, or time is up.
func (s *Server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.process.done:
			err = errors.Join(err, s.process.waitForChildren())
			return fmt.Errorf("the server ended while starting: %w: %s", err, tail(s.Log()))
		case <-ctx.Done():
			err = errors.Join(err, s.process.kill())
			return fmt.Errorf("wait for the server: %w: %s", err, tail(s.Log()))
		case <-retry.C:
		}
	}
}

// URL is the address of one of the server's databases, as its superuser.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.User(superuser), Host: s.Address(),
		Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Address is where it listens.
func (s *Server) Address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// Own gives a folder to the account that the server runs as.
func (s *Server) Own(path string) error { return s.account.own(path) }

// Log is what the server has logged so far.
func (s *Server) Log() string {
	text, _ := os.ReadFile(s.logPath()) // without a file nothing was logged
	return string(text)
}

// Stop ends the server at once and removes its data. Nothing happens the
// second time.
func (s *Server) Stop() error {
	if s.scratch == nil {
		return nil
	}
	err := errors.Join(s.halt(syscall.SIGQUIT), s.scratch.remove())
	s.scratch = nil
	return err
}

// Kill ends the server as a crash does; Restart then recovers its data.
func (s *Server) Kill() error {
	if s.process == nil {
		return nil
	}
	err := s.process.kill()
	s.process = nil
	return err
}

// Restart starts the server again at the same address, after an orderly
// shutdown if it runs.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Shutdown(); err != nil {
		return err
	}
	return s.start(ctx)
}

// Shutdown ends the server in an orderly way and keeps its data for Restart.
func (s *Server) Shutdown() error { return s.halt(syscall.SIGINT) }

func (s *Server) halt(signal os.Signal) error {
	if s.process == nil {
		return nil
	}
	err := s.process.end(signal)
	s.process = nil
	return err
}

func (s *Server) data() string    { return s.scratch.path("data") }
func (s *Server) logPath() string { return s.scratch.path("server.log") }

// tool runs one of PostgreSQL's client programs as the server's account.
func (s *Server) tool(ctx context.Context, name string, args ...string) error {
	err := command{
		program: filepath.Join(s.bin, name), args: args, env: cleanEnv, dir: s.scratch.dir, as: s.account,
	}.run(ctx)
	return err
}
