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

// DeleteEach deletes files as Open WebUI's own code does, one by one: looks the row up, deletes it,
// its bytes and its collection. The application must not run.
func DeleteEach(ctx context.Context, o Options, ids []string) (took PerFile, err error) {
	python, err := Install(ctx)
	if err != nil {
		return took, err
	}
	cmd := exec.CommandContext(ctx, python, "-c", perFile)
	cmd.Dir, cmd.Env = o.DataDir, o.environment("http://127.0.0.1:9")
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
