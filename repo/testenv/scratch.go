package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// scratch is the folder of one running server. The process that made it holds
// its lock, so that the next process can tell what a killed one left behind.
type scratch struct {
	dir  string
	lock *flock.Flock
}

// newScratch makes a folder that belongs to the account. It lies in memory where there is
// enough, unless onDisk: a database that is made and dropped is hundreds of files.
func newScratch(ctx context.Context, owner account, onDisk bool) (*scratch, error) {
	root := scratchRoot()
	if memory, ok := memoryRoot(); ok && !onDisk {
		root = filepath.Join(memory, filepath.Base(root))
	}
	if err := mkdir(root); err != nil {
		return nil, fmt.Errorf("make the folder of the test servers: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(root, "lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := sweepScratches(root); err != nil {
		return nil, fmt.Errorf("remove what killed test processes left: %w", err)
	}
	dir, err := os.MkdirTemp(root, "server-")
	if err != nil {
		return nil, fmt.Errorf("make the folder of a test server: %w", err)
	}
	s := &scratch{dir: dir, lock: flock.New(dir + ".lock")}
	_, lockErr := s.lock.TryLock()
	if err := errors.Join(lockErr, os.Chmod(dir, 0o755), owner.own(dir)); err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// scratchRoot is the folder of everything that test servers need while they run.
func scratchRoot() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("pruned-test-%d", os.Geteuid()))
}

// sweepScratches runs under the lock of root: no other process is between
// making a folder and locking it.
func sweepScratches(root string) error {
	dirs, err := filepath.Glob(filepath.Join(root, "server-*[0-9]"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		s := &scratch{dir: dir, lock: flock.New(dir + ".lock")}
		free, err := s.lock.TryLock()
		if err != nil {
			return err
		}
		if !free {
			continue
		}
		if err := s.remove(); err != nil {
			return err
		}
	}
	return nil
}

func (s *scratch) path(name string) string { return filepath.Join(s.dir, name) }

func (s *scratch) remove() error {
	return errors.Join(os.RemoveAll(s.dir), os.Remove(s.lock.Path()), s.lock.Close())
}
