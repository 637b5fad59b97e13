package repotest

import (
	"os"
	"syscall"
	"testing"
)

// memoryNeeded is what must be free before a test's files go to memory: small
// containers have 64 MB of it.
const memoryNeeded = 2 << 30

// MemoryDir is an empty folder for one test, in memory where there is enough of
// it: programs that write durably are quick there. Nothing is lost by that in a
// test, which a crash of the machine ends anyway.
func MemoryDir(t testing.TB) string {
	t.Helper()
	var there syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &there); err != nil || there.Bavail*uint64(there.Bsize) < memoryNeeded {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "pruned-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the files of the test: %v", err)
		}
	})
	return dir
}
