package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// ran is one run of the program as a whole process.
type ran struct {
	summary
	wall   time.Duration
	cpu    time.Duration // of all its threads
	peakMB float64       // largest resident set
	readMB float64       // by all its reads, of sockets and files
}

// summary is what run --drain prints.
type summary struct {
	Batches, Events, Deleted, Gone, Kept, Young, Busy, Invalid, Poison, Failed, Waiting int
	Duration                                                                            float64 `json:"duration_s"`
}

// environment is an operator's, but for the ages: nobody waits here.
func (i *installation) environment() []string {
	return append([]string{
		"DATA_DIR=" + i.dir, "PATH=" + os.Getenv("PATH"),
		"PRUNED_NATS_LISTEN=127.0.0.1:0", "PRUNED_MIN_AGE=24h", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0", "PRUNED_TRASH=0", "PRUNED_LOG_LEVEL=warn",
	}, i.stores...)
}

// runProgram runs the program on the installation with further settings.
func (i *installation) runProgram(ctx context.Context, stdin io.Reader, stderr io.Writer, settings []string, args ...string) (stdout []byte, r ran, err error) {
	cmd := exec.CommandContext(ctx, i.binary, args...)
	cmd.Env = append(i.environment(), settings...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, stderr
	if stderr == nil {
		cmd.Stderr = &errs
	}
	if r, err = watchCommand(cmd); err != nil {
		// Told to end, the lab kills the program that it runs, which looks like a fault of that one's.
		err = fmt.Errorf("pruned %s: %w\n%s", strings.Join(args, " "), errors.Join(err, context.Cause(ctx)), errs.Bytes())
	}
	return out.Bytes(), r, err
}

// watchCommand runs a whole process.
func watchCommand(cmd *exec.Cmd) (r ran, err error) {
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return r, err
	}
	used := watchProcess(cmd.Process.Pid)
	err = cmd.Wait()
	r.wall = time.Since(start)
	r.peakMB, r.readMB = used()
	r.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return r, err
}

// shuffledIDs are those of all files, in any order.
func (i *installation) shuffledIDs() []string {
	ids := slices.Concat(i.Orphans, i.InUse)
	rand.Shuffle(len(ids), func(a, b int) { ids[a], ids[b] = ids[b], ids[a] })
	return ids
}

func (i *installation) publishEvents(ctx context.Context, ids []string, settings ...string) error {
	return i.publishType(ctx, "file", ids, settings...)
}

// publishType publishes events about files, collections or points.
func (i *installation) publishType(ctx context.Context, typ string, names []string, settings ...string) error {
	_, _, err := i.runProgram(ctx, strings.NewReader(strings.Join(names, "\n")), nil, settings, "publish", "--type", typ, "--reason", "lab")
	return err
}

func (i *installation) drainQueue(ctx context.Context, settings ...string) (ran, error) {
	return i.drainLogged(ctx, nil, settings...)
}

// drainLogged is drainQueue with a reader of the program's log.
func (i *installation) drainLogged(ctx context.Context, log io.Writer, settings ...string) (ran, error) {
	out, r, err := i.runProgram(ctx, nil, log, settings, "run", "--drain", "--output", "json")
	if err == nil {
		err = json.Unmarshal(out, &r.summary)
	}
	return r, err
}

// prepareEvents reports files to a queue that is empty. The index is there then: it is built
// at the first start only.
func (i *installation) prepareEvents(ctx context.Context, ids []string) error {
	if _, err := i.drainQueue(ctx); err != nil {
		return err
	}
	return i.publishEvents(ctx, ids)
}

// drainAll drains a queue to which every file was reported, and checks what it says of
// them.
func (i *installation) drainAll(ctx context.Context, settings ...string) (ran, error) {
	r, err := i.drainQueue(ctx, settings...)
	if err == nil && (r.Deleted != len(i.Orphans) || r.Kept != len(i.InUse)) {
		err = fmt.Errorf("the drain deleted %d of %d orphans and kept %d of %d files in use", r.Deleted, len(i.Orphans), r.Kept, len(i.InUse))
	}
	return r, err
}

// watchProcess follows the largest resident set of a process, and what it read, until
// the returned function is called. (What wait4 tells includes the parent's, from
// before exec.) The last hundredth of a second is not seen.
func watchProcess(pid int) (stop func() (peakMB, readMB float64)) {
	done, result := make(chan struct{}), make(chan [2]float64)
	go func() {
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		var last [2]float64 // kB, bytes
		for {
			for i, of := range []struct{ file, name string }{{"status", "VmHWM:"}, {"io", "rchar:"}} {
				if now, ok := readProcValue(pid, of.file, of.name); ok {
					last[i] = now
				}
			}
			select {
			case <-ticker.C:
			case <-done:
				result <- last
				return
			}
		}
	}()
	return func() (float64, float64) {
		close(done)
		last := <-result
		return last[0] / 1024, last[1] / (1 << 20)
	}
}

// readProcValue is a number of a process; not ok once that has ended.
func readProcValue(pid int, file, name string) (float64, bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return 0, false
	}
	_, rest, found := strings.Cut(string(text), name)
	var value float64
	_, err = fmt.Sscan(rest, &value)
	return value, found && err == nil
}
