package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/gofrs/flock"
)

// useOf is a lock of the upload folder, which every process that works with an
// installation has, whatever its queue is: those that work share it. The system gives
// it back when a process ends.
func useOf(dir string) folderUse { return folderUse{flock.New(dir, flock.SetFlag(os.O_RDONLY))} }

type folderUse struct{ lock *flock.Flock }

// share says that this process works with the folder. Where a file system locks no
// folders nobody hears of it, and nothing else depends on it.
func (l folderUse) share() { _, _ = l.lock.TryRLock() }

// others says whether other processes work with the folder, or keeps them from seeing
// it free until the end. A folder that is missing, or cannot be locked, nobody uses as
// far as anybody can know.
func (l folderUse) others() (bool, error) {
	free, err := l.lock.TryLock()
	var path *fs.PathError
	if errors.As(err, &path) && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return !free && err == nil, nil
}

func (l folderUse) end() error { return l.lock.Close() }
