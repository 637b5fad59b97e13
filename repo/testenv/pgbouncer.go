package testenv

import (
	"bufio"
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
	address, stop, err := startPooler(context.Background(), d)
	if err != nil {
		t.Fatalf("start PgBouncer: %v", err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("stop PgBouncer: %v", err)
		}
	})
	return address
}

func startPooler(ctx context.Context, d *Database) (address string, stop func() error, err error) {
	install, err := pooler(ctx)
	if err != nil {
		return "", nil, err
	}
	home, err := newScratch(ctx, d.Server.account, false)
	if err != nil {
		return "", nil, err
	}
	port, err := freePort()
	if err != nil {
		return "", nil, errors.Join(err, home.remove())
	}
	config := home.path("pgbouncer.ini")
	text := fmt.Sprintf(poolerSettings, d.Name, d.Server.port, superuser, port)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return "", nil, errors.Join(err, home.remove())
	}
	var output strings.Builder
	cmd := exec.Command(filepath.Join(install, "usr", "sbin", "pgbouncer"), config)
	cmd.Dir, cmd.Stderr, cmd.SysProcAttr = home.dir, &output, d.Server.account.mortal()
	libraries, _ := filepath.Glob(filepath.Join(install, "usr", "lib", "*-linux-gnu")) // a fault in the pattern would show in every test
	cmd.Env = append([]string{"LD_LIBRARY_PATH=" + strings.Join(libraries, ":")}, cleanEnv...)
	process, err := startProcess(cmd)
	if err != nil {
		return "", nil, errors.Join(err, home.remove())
	}
	stop = func() error { return errors.Join(process.end(syscall.SIGTERM), home.remove()) }
	u := url.URL{
		Scheme: "postgres", User: url.User(superuser), Host: fmt.Sprintf("127.0.0.1:%d", port),
		Path: "/" + d.Name, RawQuery: "sslmode=disable",
	}
	if err := awaitPooler(ctx, u.String(), process); err != nil {
		return "", nil, errors.Join(err, stop(), errors.New(tail(output.String())))
	}
	return u.String(), stop, nil
}

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

// pooler is the folder that Debian's packages were unpacked in: nothing is
// installed in the system, where a service would be started.
func pooler(ctx context.Context) (string, error) {
	return Cached(ctx, "pgbouncer-"+release(), func(ctx context.Context, dir string) error {
		work, err := os.MkdirTemp("", "pruned-install-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(work)
		download := command{program: "apt-get", args: append([]string{"download"}, poolerPackages...), dir: work}
		if err = download.run(ctx); err != nil {
			updateErr := command{program: "apt-get", args: []string{"update"}}.run(ctx)
			err = download.run(ctx)
			if err != nil {
				return fmt.Errorf("the tests of a pooler need Debian's PgBouncer: %w", errors.Join(updateErr, err))
			}
		}
		packages, err := filepath.Glob(filepath.Join(work, "*.deb"))
		if err != nil {
			return err
		}
		for _, file := range packages {
			if err := (command{program: "dpkg-deb", args: []string{"--extract", file, dir}}).run(ctx); err != nil {
				return err
			}
		}
		return makeReadable(dir)
	})
}

// release is the code name of this machine's distribution.
func release() string {
	file, err := os.Open("/etc/os-release")
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, found := strings.CutPrefix(lines.Text(), "VERSION_CODENAME="); found {
			return name
		}
	}
	return "unknown"
}
