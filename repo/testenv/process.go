package testenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// killPatience bounds the wait for processes that have been killed.
const killPatience = 30 * time.Second

// process is a running postmaster with its children.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the postmaster has ended
	gone *os.File      // at its end when the last child has ended too
}

// startProcess starts a program that does not outlive this process. The kernel
// ties a child to the thread that started it, so that thread stays for as long.
func startProcess(cmd *exec.Cmd) (*process, error) {
	gone, inherited, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer inherited.Close()
	cmd.ExtraFiles = []*os.File{inherited}
	p := &process{cmd: cmd, done: make(chan struct{}), gone: gone}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in ProcessState
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		gone.Close()
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// awaitAnswer asks a server until it answers, whatever that is, or kills it; log is the file
// that it writes to.
func (p *process) awaitAnswer(url, log string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		response, err := client.Get(url)
		if err == nil {
			return response.Body.Close()
		}
		select {
		case <-p.done:
			text, _ := os.ReadFile(log)
			return fmt.Errorf("it ended while starting: %s", tail(string(text)))
		case <-ctx.Done():
			return errors.Join(err, p.kill())
		case <-retry.C:
		}
	}
}

// end sends the signal and waits until every process of the server is gone.
func (p *process) end(signal os.Signal) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return fmt.Errorf("wait for the server to stop: %w", errors.Join(ctx.Err(), p.kill()))
	}
	return p.waitForChildren()
}

// kill is a crash: no process of the server gets to do anything more. The
// postmaster is frozen first, so that it starts no child unseen.
func (p *process) kill() error {
	pid := p.cmd.Process.Pid
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	for _, child := range children(pid) {
		_ = syscall.Kill(child, syscall.SIGKILL) // one that has just ended is no error
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.done
	return p.waitForChildren()
}

// waitForChildren matters because a new postmaster refuses a data folder that
// a child of the old one still uses. Nothing is ever written to the pipe.
func (p *process) waitForChildren() error {
	defer p.gone.Close()
	if err := p.gone.SetReadDeadline(time.Now().Add(killPatience)); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, p.gone); err != nil {
		return fmt.Errorf("wait for the server's children: %w", err)
	}
	return nil
}

func children(pid int) []int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil // they then end by themselves when the postmaster is gone
	}
	var pids []int
	for _, field := range strings.Fields(string(text)) {
		if child, err := strconv.Atoi(field); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}
