//go:build unix

package sqlite

import (
	"os"
	"strconv"
	"syscall"
)

// checkWritable asks the kernel, which knows of read-only file systems too.
func checkWritable(path string) error {
	const writeAccess = 2
	if err := syscall.Access(path, writeAccess); err != nil {
		return &os.PathError{Op: "access", Path: path, Err: err}
	}
	return nil
}

// fileNumber tells a file from its copies.
func fileNumber(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", nil
	}
	return strconv.FormatUint(stat.Ino, 10), nil
}
