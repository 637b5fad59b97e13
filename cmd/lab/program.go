package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// ran is one run of the program as a whole process.
type ran struct {
	summary
	wall   time.Duration
	peakMB float64 // largest resident set
}

// summary is what run --drain prints.
type summary struct {
	Batches, Events, Deleted, Gone, Kept, Young, Busy, Invalid, Poison, Failed int
	Duration                                                                   float64 `json:"duration_s"`
}

// environment is an operator's, but for the ages: nobody waits here.
func (w *world) environment() []string {
	return []string{
		"DATABASE_URL=" + w.url, "VECTOR_DB=pgvector", "DATA_DIR=" + w.dir, "PATH=" + os.Getenv("PATH"),
		"PRUNED_NATS_LISTEN=127.0.0.1:0", "PRUNED_MIN_AGE=24h", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0", "PRUNED_LOG_LEVEL=warn",
	}
}

// pruned runs the program on this world with further settings.
func (w *world) pruned(ctx context.Context, stdin io.Reader, stderr io.Writer, settings []string, args ...string) (stdout []byte, r ran, err error) {
	cmd := exec.CommandContext(ctx, w.binary, args...)
	cmd.Env = append(w.environment(), settings...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, stderr
	switch {
	case stderr != nil:
	case w.verbose:
		cmd.Stderr, cmd.Env = os.Stderr, append(cmd.Env, "PRUNED_LOG_LEVEL=info", "GODEBUG="+os.Getenv("GODEBUG"))
	default:
		cmd.Stderr = &errs
	}
	start := time.Now()
	if err = cmd.Start(); err == nil {
		peak := watchPeak(cmd.Process.Pid)
		err = cmd.Wait()
		r.wall = time.Since(start)
		r.peakMB = peak()
	}
	if err != nil {
		err = fmt.Errorf("pruned %s: %w\n%s", strings.Join(args, " "), err, errs.Bytes())
	}
	return out.Bytes(), r, err
}

func (w *world) publish(ctx context.Context, ids []string, settings ...string) error {
	_, _, err := w.pruned(ctx, strings.NewReader(strings.Join(ids, "\n")), nil, settings, "publish", "--reason", "lab")
	return err
}

func (w *world) drain(ctx context.Context, settings ...string) (ran, error) {
	out, r, err := w.pruned(ctx, nil, nil, settings, "run", "--drain", "--output", "json")
	if err == nil {
		err = json.Unmarshal(out, &r.summary)
	}
	return r, err
}

// watchPeak follows the largest resident set of a process until the returned
// function is called. (What wait4 tells includes the parent's, from before exec.)
func watchPeak(pid int) (stop func() float64) {
	done, result := make(chan struct{}), make(chan float64)
	go func() {
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		var peak float64
		for {
			if now, ok := highWater(pid); ok {
				peak = now
			}
			select {
			case <-ticker.C:
			case <-done:
				result <- peak
				return
			}
		}
	}()
	return func() float64 {
		close(done)
		return <-result
	}
}

// highWater is VmHWM in MB; not ok once the process has ended.
func highWater(pid int) (float64, bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	var kB float64
	_, err = fmt.Sscan(rest, &kB)
	return kB / 1024, found && err == nil
}
