package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

var errReplaced = errors.New("it was replaced while its server runs")

// Present says whether the directory is still the one that was opened: another
// process could own what has its path now, and what this one stores would be lost.
func (s *Server) Present() error {
	now, err := os.Stat(filepath.Join(s.dir, lockFile))
	if err == nil && !os.SameFile(now, s.held) {
		err = errReplaced
	}
	if err != nil {
		return fmt.Errorf("the queue's directory %s: %w", s.dir, err)
	}
	return nil
}

// spaceNeeded is what a queue that is opened anew should be able to write at least.
const spaceNeeded = 1 << 20

// Space says whether the directory can be written to, by doing so.
func Space(dir string) error {
	probe, err := os.CreateTemp(dir, "space.*")
	if err == nil {
		_, err = probe.Write(make([]byte, spaceNeeded))
		err = errors.Join(cmp.Or(err, probe.Sync()), probe.Close(), os.Remove(probe.Name()))
	}
	if err != nil {
		return fmt.Errorf("writing to the queue's directory: %w", err)
	}
	return nil
}
