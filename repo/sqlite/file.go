package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// examineFile refuses a file that no SQLite library should be let near, without
// opening it: closing a file drops whatever locks this process has on it.
func examineFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("it does not exist: start Open WebUI once, or set DATABASE_URL or DATA_DIR")
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is no file")
	case info.Size() == 0:
		return errors.New("it is empty: start Open WebUI once")
	}
	dir := filepath.Dir(path)
	if err := checkWritable(dir); err != nil {
		return fmt.Errorf("folder %s cannot be written to, where SQLite keeps its journal: %w", dir, err)
	}
	if err := checkWritable(path); err != nil {
		return fmt.Errorf("it cannot be written to: run pruned as the user that the file belongs to: %w", err)
	}
	kind, err := networkFileSystem(path)
	if err != nil {
		return fmt.Errorf("look at the file system: %w", err)
	}
	if kind != "" {
		return fmt.Errorf("it lies on a network file system (%s), where locks between machines cannot be trusted: move it to a local disk, or use PostgreSQL", kind)
	}
	return nil
}
