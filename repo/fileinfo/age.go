// Package fileinfo reads out of a file's information what the kernel knows and
// fs.FileInfo does not tell.
//
// Its central idea is caution: a file is as young as any of its times says. It opens
// nothing, and knows no folder.
package fileinfo

import (
	"io/fs"
	"time"
)

// Age measures how long ago a file was last written: TouchedAge, or ModifiedAge.
type Age func(now time.Time, info fs.FileInfo) time.Duration

// TouchedAge is how long ago a file was last written, by both of its times: modified,
// which every copy may carry along (cp -p, tar, rsync -t), so that bytes which were
// restored a minute ago look as old as they were; and changed, which the kernel sets at
// every change and nobody else can (zero where it is not to be had). The younger of the
// two counts. A time in the future, from a clock that was ahead, counts only where there
// is no other, and as now.
func TouchedAge(now time.Time, info fs.FileInfo) time.Duration {
	return youngestAge(now, info.ModTime(), changedAt(info))
}

// ModifiedAge has only the time of modification count: for a folder that nobody restores
// files into with the times that they had, such as a demonstration's, whose files are old
// by these times alone.
func ModifiedAge(now time.Time, info fs.FileInfo) time.Duration {
	return youngestAge(now, info.ModTime(), time.Time{})
}

func youngestAge(now, modified, changed time.Time) time.Duration {
	youngest := time.Duration(-1)
	for _, at := range []time.Time{modified, changed} {
		if past := now.Sub(at); !at.IsZero() && past >= 0 && (youngest < 0 || past < youngest) {
			youngest = past
		}
	}
	return max(youngest, 0)
}
