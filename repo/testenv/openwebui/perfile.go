package openwebui

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

//go:embed perfile.py
var perFile string

// PerFile is what a program took that deleted files one by one.
type PerFile struct {
	Deleted int
	Seconds float64 // from the first file, which is not counted, to the last
}

// Command is Open WebUI's Python, with the environment that the application is started with, for
// a program that uses the application's code. There is nobody to embed anything.
func Command(ctx context.Context, o Options, args ...string) (*exec.Cmd, error) {
	python, err := Install(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, python, args...)
	cmd.Dir, cmd.Env = o.DataDir, o.environment("http://127.0.0.1:9")
	return cmd, nil
}

// DeleteEach deletes files as Open WebUI's own code does, one by one: looks the row up, deletes it,
// its bytes and its collection. The application must not run.
func DeleteEach(ctx context.Context, o Options, ids []string) (took PerFile, err error) {
	cmd, err := Command(ctx, o, "-c", perFile)
	if err != nil {
		return took, err
	}
	cmd.Stdin = strings.NewReader(strings.Join(ids, "\n"))
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return took, fmt.Errorf("delete files one by one: %w\n%s", err, tail([]byte(errs.String())))
	}
	// What the application prints while it starts comes before.
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	err = json.Unmarshal([]byte(lines[len(lines)-1]), &took)
	if err == nil && took.Deleted != len(ids) {
		err = fmt.Errorf("one by one %d of %d files were deleted", took.Deleted, len(ids))
	}
	return took, err
}
