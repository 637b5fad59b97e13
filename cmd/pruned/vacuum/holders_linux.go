package vacuum

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// FindHolders names the other processes that have a file or its log open, as far as this
// one may look: not those of other users, unless it is root, or of other containers.
// OpenFile finds most of those by their locks, and cannot name them.
func FindHolders(path string) (holders []string) {
	var files []os.FileInfo
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if info, err := os.Stat(name); err == nil {
			files = append(files, info)
		}
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(files) == 0 {
		return nil
	}
	for _, process := range processes {
		pid := filepath.Base(process)
		if pid != strconv.Itoa(os.Getpid()) && hasOpen(process, files) {
			name, _ := os.ReadFile(filepath.Join(process, "comm"))
			holders = append(holders, fmt.Sprintf("%s (pid %s)", strings.TrimSpace(string(name)), pid))
		}
	}
	return holders
}

// hasOpen compares files by what they are, since a process may see them by other names.
func hasOpen(process string, files []os.FileInfo) bool {
	entries, err := os.ReadDir(filepath.Join(process, "fd"))
	if err != nil {
		return false // it ended, or is another user's
	}
	for _, entry := range entries {
		link := filepath.Join(process, "fd", entry.Name())
		// What is no file has no path: sockets and pipes, of which there are many.
		if target, err := os.Readlink(link); err != nil || !filepath.IsAbs(target) {
			continue
		}
		info, err := os.Stat(link)
		if err != nil {
			continue
		}
		for _, file := range files {
			if os.SameFile(info, file) {
				return true
			}
		}
	}
	return false
}
