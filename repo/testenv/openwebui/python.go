package openwebui

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// errNoPython tells what to install: a bare machine fails here first.
var errNoPython = errors.New("no Python 3.11 or 3.12 with the modules venv and ensurepip found (Debian: python3 python3-venv)")

// findPython returns the first interpreter that Open WebUI supports and that can make a virtual
// environment. Debian ships Python without ensurepip.
func findPython(ctx context.Context) (string, error) {
	const fits = "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 13))"
	for _, name := range []string{"python3.12", "python3.11", "python3"} {
		if exec.CommandContext(ctx, name, "-c", fits).Run() == nil {
			return name, nil
		}
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return "", errNoPython
}

// run runs one step of an installation; its error ends with what the step printed last.
func run(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, tail(out))
	}
	return nil
}

// tail returns the end of an output, where programs say why they failed.
func tail(out []byte) string {
	const most = 4000
	if len(out) > most {
		out = out[len(out)-most:]
	}
	return strings.TrimSpace(string(out))
}
