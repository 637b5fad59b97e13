package main

import "syscall"

// freeSpace is what this user may still write to the file system of a path.
func freeSpace(path string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), nil
}
