package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/gofrs/flock"
)

// newFolderLock makes a lock of the upload folder, which every process that works with
// an installation has, whatever its queue is. Those that work share it. The system
// releases it when a process ends.
func newFolderLock(dir string) folderLock {
	return folderLock{flock.New(dir, flock.SetFlag(os.O_RDONLY))}
}

type folderLock struct{ lock *flock.Flock }

// lockShared tells other processes that this one works with the folder. Where a file
// system locks no folders nobody hears of it, and nothing else depends on it.
func (l folderLock) lockShared() { _, _ = l.lock.TryRLock() }

// isUsedByOthers says whether other processes work with the folder. Where none does, no
// other sees it free until unlock. A folder that is missing, or cannot be locked,
// nobody uses as far as anybody can know.
func (l folderLock) isUsedByOthers() (bool, error) {
	free, err := l.lock.TryLock()
	var path *fs.PathError
	if errors.As(err, &path) && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return !free && err == nil, nil
}

func (l folderLock) unlock() error { return l.lock.Close() }
