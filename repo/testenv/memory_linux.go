package testenv

import "syscall"

// memoryNeeded is what must be free before a test's files go to memory: small
// containers have 64 MB of it.
const memoryNeeded = 2 << 30

// memoryRoot is a folder in memory, where there is enough of it. ok is false where there
// is not.
func memoryRoot() (root string, ok bool) {
	var there syscall.Statfs_t
	err := syscall.Statfs("/dev/shm", &there)
	return "/dev/shm", err == nil && there.Bavail*uint64(there.Bsize) >= memoryNeeded
}
