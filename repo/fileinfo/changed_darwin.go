package fileinfo

import (
	"io/fs"
	"syscall"
	"time"
)

// changedAt is the time at which the file, or what is said of it, was last changed.
func changedAt(info fs.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctimespec.Unix())
	}
	return time.Time{}
}
