package testenv

import (
	"os"
	"testing"
)

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
