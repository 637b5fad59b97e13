//go:build linux || darwin

package fileinfo

import (
	"io/fs"
	"syscall"
)

// blockSize is the unit of st_blocks, whatever the file system's own is.
const blockSize = 512

// AllocatedBytes is what a file takes of the disk, which is what its removal gives back.
func AllocatedBytes(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Blocks * blockSize
	}
	return info.Size()
}
