package testenv

import (
	"os"
	"testing"
)

// InMemory makes an empty folder in memory, where there is enough of it: programs
// that write durably are quick there. ok is false where there is not.
func InMemory() (dir string, ok bool) {
	root, ok := memoryRoot()
	if !ok {
		return "", false
	}
	dir, err := os.MkdirTemp(root, "pruned-test-")
	return dir, err == nil
}

// MemoryDir is an empty folder for one test, in memory if it can be. Nothing is
// lost by that in a test, which a crash of the machine ends anyway.
func MemoryDir(t testing.TB) string {
	t.Helper()
	dir, ok := InMemory()
	if !ok {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the files of the test: %v", err)
		}
	})
	return dir
}
