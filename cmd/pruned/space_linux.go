package main

import "syscall"

// statDisk describes the file system of a path.
func statDisk(path string) (disk, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return disk{}, err
	}
	var file syscall.Stat_t
	if err := syscall.Stat(path, &file); err != nil {
		return disk{}, err
	}
	return disk{file.Dev, fs.Bavail * uint64(fs.Bsize), fs.Blocks * uint64(fs.Bsize)}, nil
}
