package testenv

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// unpacked is the folder that Debian's packages were unpacked in: nothing is installed in the
// system, where a service would be started.
func unpacked(ctx context.Context, name string, packages ...string) (string, error) {
	return Cached(ctx, name+"-"+release(), func(ctx context.Context, dir string) error {
		work, err := os.MkdirTemp("", "pruned-install-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(work)
		download := command{program: "apt-get", args: append([]string{"download"}, packages...), dir: work}
		if err = download.run(ctx); err != nil {
			updateErr := command{program: "apt-get", args: []string{"update"}}.run(ctx)
			err = download.run(ctx)
			if err != nil {
				return fmt.Errorf("tests need Debian's %s: %w", name, errors.Join(updateErr, err))
			}
		}
		files, err := filepath.Glob(filepath.Join(work, "*.deb"))
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := (command{program: "dpkg-deb", args: []string{"--extract", file, dir}}).run(ctx); err != nil {
				return err
			}
		}
		return makeReadable(dir)
	})
}

// release is the code name of this machine's distribution.
func release() string {
	file, err := os.Open("/etc/os-release")
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, found := strings.CutPrefix(lines.Text(), "VERSION_CODENAME="); found {
			return name
		}
	}
	return "unknown"
}
