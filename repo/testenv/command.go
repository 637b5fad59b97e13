package testenv

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// outputTail is how much of a failed command's output its error carries.
const outputTail = 2000

// command is a program that runs to its end.
type command struct {
	program string
	args    []string
	env     []string // whole environment; nil: this process's own
	dir     string
	as      account
}

// run runs the program; the error of a failed one carries the end of what it
// printed, because that names what is missing.
func (c command) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, c.program, c.args...)
	cmd.Env, cmd.Dir = c.env, c.dir
	cmd.SysProcAttr = c.as.attributes()
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	return fmt.Errorf("%s %s: %w: %s", filepath.Base(c.program), strings.Join(c.args, " "), err, tail(strings.TrimSpace(string(out))))
}

func tail(text string) string {
	if len(text) > outputTail {
		return "... " + text[len(text)-outputTail:]
	}
	return text
}
