package openwebui

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Version is the release of Open WebUI that Install installs.
const Version = "0.12.4"

// uv installs 230 wheels in seconds, pip in minutes.
const uv = "uv==0.13.9"

//go:embed requirements.txt
var requirements []byte

// Install makes a virtual environment with Open WebUI in the cache folder, unless it is there, and
// returns its Python. Processes that ask at the same time wait for the first.
func Install(ctx context.Context) (python string, err error) {
	dir, err := installDir()
	if err != nil {
		return "", err
	}
	python = filepath.Join(dir, "bin", "python")
	if done, err := installed(dir); done || err != nil {
		return python, err
	}
	lock := flock.New(dir + ".lock")
	if _, err := lock.TryLockContext(ctx, time.Second); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if done, err := installed(dir); done || err != nil {
		return python, err
	}
	if err := install(ctx, dir); err != nil {
		return "", fmt.Errorf("install Open WebUI %s in %s: %w", Version, dir, err)
	}
	return python, nil
}

// installDir is named after what is installed, so that a changed list is a new installation.
func installDir() (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("make the cache folder: %w", err)
	}
	sum := sha256.Sum256(requirements)
	return filepath.Join(cache, fmt.Sprintf("open-webui-%s-%x", Version, sum[:4])), nil
}

// marker is written last: a folder without it is what an interrupted installation left.
func marker(dir string) string { return filepath.Join(dir, "installed") }

func installed(dir string) (bool, error) {
	_, err := os.Stat(marker(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for an earlier installation: %w", err)
	}
	return true, nil
}

// install builds in place, because a virtual environment holds its own path.
func install(ctx context.Context, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove an interrupted installation: %w", err)
	}
	python, err := findPython(ctx)
	if err != nil {
		return err
	}
	if err := run(ctx, python, "-m", "venv", dir); err != nil {
		return err
	}
	list := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(list, requirements, 0o644); err != nil {
		return fmt.Errorf("write the list of packages: %w", err)
	}
	own := filepath.Join(dir, "bin", "python")
	if err := run(ctx, own, "-m", "pip", "install", "--quiet", uv); err != nil {
		return err
	}
	// The list is complete: resolving again could only bring what we left out.
	err = run(ctx, own, "-m", "uv", "pip", "install", "--python", own, "--no-deps", "--compile-bytecode", "--requirement", list)
	if err != nil {
		return err
	}
	return os.WriteFile(marker(dir), nil, 0o644)
}
