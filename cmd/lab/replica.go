package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// replica is a daemon: a whole process of the program, with its log.
type replica struct {
	name    string
	network *network // its own, or nil
	cmd     *exec.Cmd
	log     string
	ended   chan struct{} // closed once it has ended
}

// startReplica starts a daemon of any build.
func (i *installation) startReplica(name, binary string, settings ...string) (*replica, error) {
	r := &replica{name: name, log: filepath.Join(i.dir, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(r.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	r.cmd = exec.Command(binary, "run")
	r.cmd.Env = append(append(i.environment(), "PRUNED_HTTP="+loopback+":0", "PRUNED_LOG_LEVEL=info", "PRUNED_LOG_FORMAT=json"), settings...)
	r.cmd.Stderr = log
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = r.cmd.Wait() // how it ended is in ProcessState
		close(r.ended)
	}()
	return r, nil
}

// kill ends the daemon as a crash does.
func (r *replica) kill() error { return r.end(syscall.SIGKILL) }

// stop ends it in order.
func (r *replica) stop() error {
	err := r.end(syscall.SIGTERM)
	if err == nil && !r.cmd.ProcessState.Success() {
		err = fmt.Errorf("%s ended with %s", r.name, r.cmd.ProcessState)
	}
	return err
}

func (r *replica) end(signal os.Signal) error {
	if err := r.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-r.ended:
		return nil
	case <-time.After(time.Minute):
		return errors.Join(fmt.Errorf("%s does not end", r.name), r.cmd.Process.Kill())
	}
}

// entry is a line of the log, of which kind it may be.
type entry struct {
	Message string
	Time    time.Time
	Address string  // of what listens
	Events  int     // of a batch
	Took    float64 // ms
	Failed  int
	Error   string
}

// entries are the lines of the log so far.
func (r *replica) entries() (list []entry, err error) {
	text, err := os.ReadFile(r.log)
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(text) {
		var e entry
		if json.Unmarshal(line, &e) == nil {
			list = append(list, e)
		}
	}
	return list, nil
}

// countEvents counts the events that it handled.
func (r *replica) countEvents() (n int, err error) {
	list, err := r.entries()
	for _, e := range list {
		if e.Message == "batch" {
			n += e.Events
		}
	}
	return n, err
}

// says is a failure if the log does not hold the text.
func (r *replica) says(text string) error {
	log, err := os.ReadFile(r.log)
	if err == nil && !bytes.Contains(log, []byte(text)) {
		err = fmt.Errorf("the log does not say %q", text)
	}
	return err
}

// checkReady is what /readyz says against it, on one line.
func (r *replica) checkReady(ctx context.Context) error {
	select {
	case <-r.ended:
		log, _ := os.ReadFile(r.log) // it says why
		return fmt.Errorf("it has ended (%s): %s", r.cmd.ProcessState, log[max(0, len(log)-1000):])
	default:
	}
	list, err := r.entries()
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Message == "listening" {
			return askReady(ctx, e.Address)
		}
	}
	return errors.New("it does not listen yet")
}

func askReady(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(string(bytes.ReplaceAll(bytes.TrimSpace(text), []byte("\n"), []byte("; "))))
	}
	return err
}
