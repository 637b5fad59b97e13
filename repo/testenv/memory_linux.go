package testenv

import (
	"os"
	"syscall"
)

// memoryNeeded is what must be free before a test's files go to memory: small
// containers have 64 MB of it.
const memoryNeeded = 2 << 30

// InMemory makes an empty folder in memory, where there is enough of it: programs
// that write durably are quick there. ok is false where there is not.
func InMemory() (dir string, ok bool) {
	var there syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &there); err != nil || there.Bavail*uint64(there.Bsize) < memoryNeeded {
		return "", false
	}
	dir, err := os.MkdirTemp("/dev/shm", "pruned-test-")
	return dir, err == nil
}
