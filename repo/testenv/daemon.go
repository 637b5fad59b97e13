package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// daemon is a server in a folder of its own that is killed at its end: those that keep bytes
// take up to minutes to stop in an orderly way. Its methods are for one goroutine.
type daemon struct {
	name    string
	program string
	root    string // that the folder is made in; empty: where temporary files are
	args    func(d *daemon) []string
	env     []string // beside HOME and TMPDIR, which are the folder
	// ready fails until the server can be used.
	ready func(ctx context.Context) error

	dir     string
	ports   []int
	process *process
}

// begin starts the server for the first time, on so many free ports.
func (d *daemon) begin(ctx context.Context, ports int) (err error) {
	if d.dir, err = os.MkdirTemp(d.root, "pruned-"+d.name+"-"); err != nil {
		return err
	}
	var failures []error
	for range 3 {
		if err = d.choosePorts(ports); err == nil {
			err = d.start(ctx)
		}
		if err == nil {
			return nil
		}
		failures = append(failures, err)
	}
	return errors.Join(fmt.Errorf("start %s: %w", d.name, errors.Join(failures...)), os.RemoveAll(d.dir))
}

func (d *daemon) choosePorts(n int) error {
	d.ports = nil
	for range n {
		port, err := TakePort()
		if err != nil {
			return err
		}
		d.ports = append(d.ports, port)
	}
	return nil
}

// address is that of the first port, without a scheme.
func (d *daemon) address() string { return fmt.Sprintf("127.0.0.1:%d", d.ports[0]) }

func (d *daemon) log() string { return filepath.Join(d.dir, "server.log") }

func (d *daemon) start(ctx context.Context) error {
	log, err := os.OpenFile(d.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(d.program, d.args(d)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = d.dir, log, log
	cmd.Env = slices.Concat(cleanEnv, []string{"HOME=" + d.dir, "TMPDIR=" + d.dir}, d.env)
	cmd.SysProcAttr = account{}.mortal()
	if d.process, err = startProcess(cmd); err != nil {
		return err
	}
	return d.awaitReady(ctx)
}

func (d *daemon) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		err := d.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-d.process.done:
			text, _ := os.ReadFile(d.log())
			return fmt.Errorf("it ended while starting: %s", tail(string(text)))
		case <-ctx.Done():
			return errors.Join(err, d.process.kill())
		case <-retry.C:
		}
	}
}

// Crash kills the server as a crash would; Recover starts it again on the same ports.
func (d *daemon) Crash() error { return d.process.kill() }

// Recover starts a server that was killed.
func (d *daemon) Recover(ctx context.Context) error { return d.start(ctx) }

// Kill is Crash for a test.
func (d *daemon) Kill(t testing.TB) {
	t.Helper()
	if err := d.Crash(); err != nil {
		t.Fatal(err)
	}
}

// Restart is Recover for a test.
func (d *daemon) Restart(t testing.TB) {
	t.Helper()
	if err := d.Recover(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// End stops the server and removes what it kept.
func (d *daemon) End() error { return errors.Join(d.process.kill(), os.RemoveAll(d.dir)) }
