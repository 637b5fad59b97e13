package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"pruned/repo/testenv"
)

// lab is a folder, the program, and a server of PostgreSQL once one is needed.
type lab struct {
	server  *testenv.Server
	further []string // settings of that server
	dir     string
	binary  string
	worlds  int

	verbose bool // show what the program logs
}

// newLab builds the program.
func newLab(ctx context.Context, further ...string) (l *lab, err error) {
	l = &lab{further: further}
	if l.dir, err = os.MkdirTemp("", "pruned-lab-"); err != nil {
		return nil, err
	}
	l.binary = filepath.Join(l.dir, "pruned.bin")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", l.binary, "pruned/cmd/pruned")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("build the program: %w\n%s", err, out), l.close())
	}
	return l, nil
}

func (l *lab) close() error {
	var errs []error
	if l.server != nil {
		errs = append(errs, l.server.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(l.dir))...)
}

// installation is one data folder in the lab, whichever engine its database is
// of: what the program knows of it are its settings.
type installation struct {
	*lab
	*testenv.Seeded
	dir    string
	stores []string // settings that say where its database and vectors are
}

// install makes a data folder.
func (l *lab) install(stores ...string) (*installation, error) {
	l.worlds++
	i := &installation{lab: l, dir: filepath.Join(l.dir, fmt.Sprintf("world-%d", l.worlds)), stores: stores}
	return i, os.MkdirAll(i.uploads(), 0o755)
}

// uploads is where the application keeps bytes.
func (i *installation) uploads() string { return filepath.Join(i.dir, "uploads") }
