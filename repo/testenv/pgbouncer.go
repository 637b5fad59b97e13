package testenv

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// poolerPackages are Debian's PgBouncer and what else it needs beyond what
// every Debian has.
var poolerPackages = []string{"pgbouncer", "libc-ares2", "libevent-2.1-7"}

// poolerSettings lend a session for one transaction, each time another one of a
// few: whatever a session is expected to remember is lost or somebody else's.
const poolerSettings = `
[databases]
%s = host=127.0.0.1 port=%d user=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
min_pool_size = 4
max_client_conn = 100
server_round_robin = 1
`

// PgBouncer starts a pooler before a database and returns the URL through it; it
// is stopped when the test ends.
func PgBouncer(t testing.TB, d *Database) string {
	t.Helper()
	p, err := d.Server.StartPooler(context.Background(), d.Name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Errorf("stop PgBouncer: %v", err)
		}
	})
	return p.URL
}

// Pooler is a PgBouncer before one database.
type Pooler struct {
	URL     string // of the database, through it
	server  *Server
	home    *scratch
	process *process
	output  *strings.Builder
}

// StartPooler starts a pooler before a database of this server.
func (s *Server) StartPooler(ctx context.Context, database string) (*Pooler, error) {
	home, err := newScratch(ctx, s.account, false)
	if err != nil {
		return nil, fmt.Errorf("start PgBouncer: %w", err)
	}
	p := &Pooler{server: s, home: home}
	port, err := TakePort()
	if err == nil {
		u := url.URL{
			Scheme: "postgres", User: url.User(superuser), Host: fmt.Sprintf("127.0.0.1:%d", port),
			Path: "/" + database, RawQuery: "sslmode=disable",
		}
		p.URL = u.String()
		err = os.WriteFile(p.config(), fmt.Appendf(nil, poolerSettings, database, s.port, superuser, port), 0o644)
	}
	if err == nil {
		err = p.Start(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("start PgBouncer: %w", errors.Join(err, p.home.remove()))
	}
	return p, nil
}

func (p *Pooler) config() string { return p.home.path("pgbouncer.ini") }

// Start starts a pooler that was killed.
func (p *Pooler) Start(ctx context.Context) error {
	install, err := pooler(ctx)
	if err != nil {
		return err
	}
	p.output = &strings.Builder{}
	cmd := exec.Command(filepath.Join(install, "usr", "sbin", "pgbouncer"), p.config())
	cmd.Dir, cmd.Stderr, cmd.SysProcAttr = p.home.dir, p.output, p.server.account.mortal()
	libraries, _ := filepath.Glob(filepath.Join(install, "usr", "lib", "*-linux-gnu")) // a fault in the pattern would show in every test
	cmd.Env = append([]string{"LD_LIBRARY_PATH=" + strings.Join(libraries, ":")}, cleanEnv...)
	if p.process, err = startProcess(cmd); err != nil {
		return err
	}
	if err := awaitPooler(ctx, p.URL, p.process); err != nil {
		return errors.Join(err, p.Kill(), errors.New(tail(p.output.String())))
	}
	return nil
}

// Kill ends it as a crash does; Start starts it again.
func (p *Pooler) Kill() error { return p.process.kill() }

// Stop ends it for good.
func (p *Pooler) Stop() error { return errors.Join(p.process.end(syscall.SIGTERM), p.home.remove()) }

func awaitPooler(ctx context.Context, address string, process *process) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		conn, err := pgx.Connect(ctx, address)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-process.done:
			return fmt.Errorf("it ended while starting: %w", err)
		case <-ctx.Done():
			return err
		case <-retry.C:
		}
	}
}

// pooler is the folder of PgBouncer.
func pooler(ctx context.Context) (string, error) {
	return unpacked(ctx, "pgbouncer", poolerPackages...)
}
