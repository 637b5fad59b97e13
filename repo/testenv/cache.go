package testenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Cached returns the folder called name in the cache of test programs. The
// first caller on this machine has it filled by fill; others wait for that one.
// The folder appears whole or not at all, so its name must say everything that
// its content depends on.
func Cached(ctx context.Context, name string, fill func(ctx context.Context, dir string) error) (string, error) {
	root, err := cacheRoot()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, name)
	if exists(path) {
		return path, nil
	}
	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(path) {
		return path, nil
	}
	if err := fillThenRename(ctx, path, fill); err != nil {
		return "", fmt.Errorf("make %s for the tests: %w", path, err)
	}
	return path, nil
}

// fillThenRename runs under the lock of path, so what lies at the intermediate
// name can only be the rest of a builder that was killed.
func fillThenRename(ctx context.Context, path string, fill func(ctx context.Context, dir string) error) error {
	part := path + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	defer os.RemoveAll(part)
	if err := mkdir(part); err != nil {
		return err
	}
	if err := fill(ctx, part); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// cacheRoot is not in root's home, which is closed to the account that
// PostgreSQL then runs as.
func cacheRoot() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/pruned-test", mkdir("/var/cache/pruned-test")
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	root := filepath.Join(base, "pruned-test")
	return root, mkdir(root)
}

// lock waits for a lock between processes; the kernel frees it when its holder dies.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	l := flock.New(path)
	if _, err := l.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = l.Close() }, nil
}

// mkdir makes a folder that everyone can read, whatever the umask.
func mkdir(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o055 == 0o055 {
		return err
	}
	return os.Chmod(path, 0o755)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
