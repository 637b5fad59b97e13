package openwebui

import (
	"fmt"
	"os"
	"path/filepath"
)

// cacheDir is where things that tests install live from run to run. Root's home is closed to the
// unprivileged users that servers run as, so root keeps it under /var/cache.
func cacheDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/pruned-test", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	return filepath.Join(dir, "pruned-test"), nil
}
