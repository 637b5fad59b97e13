package main

import (
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// movedClock is added to Go's package time in a build whose clock can be moved.
//
//go:embed clock_moved.txt
var movedClock []byte

// Now of package time, and the same off by what the file says. The time that only goes on, by
// which programs wait, is left alone, as where somebody sets a machine's clock.
const (
	nowLine   = "\tsec, nsec, mono := runtimeNow()\n"
	movedLine = nowLine + "\tsec += secondsAhead()\n"
)

// buildMovable builds the program on a copy of Go's package time whose clock can be moved: it
// holds for all of the program, its libraries and its queue's server too.
func (l *lab) buildMovable(ctx context.Context) (program string, err error) {
	dir, err := os.MkdirTemp(l.dir, "clock-")
	if err != nil {
		return "", err
	}
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	text, err := os.ReadFile(filepath.Join(source, "time.go"))
	if err != nil {
		return "", err
	}
	if strings.Count(string(text), nowLine) != 1 {
		return "", errors.New("this Go has another time.Now: the lab does not know how to move its clock")
	}
	now, moved := filepath.Join(dir, "time.go"), filepath.Join(dir, "moved.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(source, "time.go"): now, filepath.Join(source, "moved.go"): moved,
	}})
	if err != nil {
		return "", err
	}
	for path, content := range map[string][]byte{
		now: []byte(strings.Replace(string(text), nowLine, movedLine, 1)), moved: movedClock, filepath.Join(dir, "overlay.json"): overlay,
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return "", err
		}
	}
	program = filepath.Join(dir, "pruned.bin")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "pruned/cmd/pruned")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program with a clock that can be moved: %w\n%s", err, out)
	}
	return program, nil
}

// clock is what such a build looks at, by a page of memory that it shares.
type clock string

// setting tells a program of it.
func (c clock) setting() string { return "LAB_CLOCK=" + string(c) }

// set has the clock be off by so much.
func (c clock) set(ahead time.Duration) error {
	file, err := os.OpenFile(string(c), os.O_CREATE|os.O_WRONLY, 0o600) // never shorter: somebody shares it
	if err != nil {
		return err
	}
	_, err = file.Write(binary.NativeEndian.AppendUint64(nil, uint64(int64(ahead.Seconds()))))
	return errors.Join(err, file.Close())
}
