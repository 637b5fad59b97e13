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
	schema  string   // of new worlds, one of testenv.Revisions; empty: the newest
	release string   // whose own migrations make new worlds' schemas; empty: the newest's
	dir     string
	binary  string
	worlds  int
	bytes   testenv.ByteServer // once one is needed
	ends    []func() error     // of what else was started
}

// inLab builds the program, runs fn beside it, and leaves nothing behind.
func inLab(ctx context.Context, fn func(*lab) error) error {
	dir, err := os.MkdirTemp("", "pruned-lab-")
	if err != nil {
		return err
	}
	l := &lab{dir: dir, binary: filepath.Join(dir, "pruned.bin")}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", l.binary, "pruned/cmd/pruned")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, failed := build.CombinedOutput(); failed != nil {
		err = fmt.Errorf("build the program: %w\n%s", failed, out)
	} else {
		err = fn(l)
	}
	return errors.Join(err, l.endServers(), os.RemoveAll(dir))
}

// endServers ends what was started.
func (l *lab) endServers() (err error) {
	if l.server != nil {
		err = errors.Join(err, l.server.Stop())
	}
	if l.bytes != nil {
		err = errors.Join(err, l.bytes.End())
	}
	for _, end := range l.ends {
		err = errors.Join(err, end())
	}
	return err
}

// installation is one data folder in the lab, whichever engine its database is
// of: what the program knows of it are its settings.
type installation struct {
	*lab
	*testenv.Seeded
	leftovers leftovers
	dir       string
	stores    []string       // settings that say where its database, vectors and bytes are
	bucket    testenv.Bucket // where its bytes are, beside the copies in its folder; nil without
}

// makeInstallation makes a data folder.
func (l *lab) makeInstallation(stores ...string) (*installation, error) {
	l.worlds++
	i := &installation{lab: l, dir: filepath.Join(l.dir, fmt.Sprintf("world-%d", l.worlds)), stores: stores}
	return i, os.MkdirAll(i.uploads(), 0o755)
}

// uploads is where the application keeps bytes.
func (i *installation) uploads() string { return filepath.Join(i.dir, "uploads") }
