package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// chromaVersion is the one that Open WebUI 0.12.4 brings. Its wheel holds the
// server, which is the same program that runs inside the application.
const chromaVersion = "1.5.9"

// Chroma is a Chroma server of one's own. Its methods are for one goroutine.
type Chroma struct {
	dir     string
	python  string
	install string
	port    int
	process *process
	log     string
}

// StartChroma starts a server on the files in dir, as the application's own
// Chroma would open them. It stops with the test.
func StartChroma(t testing.TB, dir string) *Chroma {
	t.Helper()
	c, err := RunChroma(context.Background(), dir, filepath.Join(t.TempDir(), "chroma.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop(t) })
	return c
}

// RunChroma is StartChroma for programs, which End it. log is a file.
func RunChroma(ctx context.Context, dir, log string) (c *Chroma, err error) {
	c = &Chroma{dir: dir, log: log}
	if c.python, err = python(ctx); err == nil {
		version := chromaOfRelease()
		c.install, err = Cached(ctx, "chroma-"+version, func(ctx context.Context, dir string) error {
			return pip(ctx, c.python, "--no-deps", "--target", dir, "chromadb=="+version)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("install the Chroma server: %w", err)
	}
	return c, c.begin()
}

// URL is the address of the server.
func (c *Chroma) URL() string { return "http://" + c.Address() }

// Address is where it listens.
func (c *Chroma) Address() string { return fmt.Sprintf("127.0.0.1:%d", c.port) }

// Start starts the server again, on another port.
func (c *Chroma) Start(t testing.TB) {
	t.Helper()
	if err := c.begin(); err != nil {
		t.Fatal(err)
	}
}

func (c *Chroma) begin() error {
	var failures []error
	for range 3 {
		port, err := TakePort()
		if err != nil {
			return err
		}
		c.port = port
		if err = c.start(); err == nil {
			return nil
		}
		failures = append(failures, err)
	}
	return fmt.Errorf("start the Chroma server: %w", errors.Join(failures...))
}

const chromaProgram = `import sys, chromadb_rust_bindings as r; r.cli(["chroma", "run", "--host", "127.0.0.1", "--path", sys.argv[1], "--port", sys.argv[2]])`

func (c *Chroma) start() error {
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(c.python, "-c", chromaProgram, c.dir, fmt.Sprint(c.port))
	cmd.Env = slices.Concat(cleanEnv, []string{"PYTHONPATH=" + c.install, "HOME=" + filepath.Dir(c.log)})
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = account{}.mortal()
	if c.process, err = startProcess(cmd); err != nil {
		return err
	}
	return c.process.awaitAnswer(c.URL()+"/api/v2/heartbeat", c.log)
}

// Stop ends the server in an orderly way. Nothing happens the second time.
func (c *Chroma) Stop(t testing.TB) {
	t.Helper()
	if err := c.End(); err != nil {
		t.Error(err)
	}
}

// End is Stop for programs.
func (c *Chroma) End() error {
	if c.process == nil {
		return nil
	}
	err := c.process.end(syscall.SIGTERM)
	c.process = nil
	if err != nil {
		return fmt.Errorf("stop the Chroma server: %w", err)
	}
	return nil
}

// Crash kills the server as a crash would; Recover starts it again on the same port.
func (c *Chroma) Crash() error {
	err := c.process.kill()
	c.process = nil
	return err
}

// Recover starts a server that was killed.
func (c *Chroma) Recover() error { return c.start() }

// Restart makes the server carry out what waits for it.
func (c *Chroma) Restart(t testing.TB) {
	t.Helper()
	c.Stop(t)
	c.Start(t)
}
