package sqlite

import "golang.org/x/sys/unix"

// Where SQLite's lock of those who read lies in a database (os.h, SHARED_FIRST and SHARED_SIZE).
const (
	sharedFirst = 0x40000002
	sharedSize  = 510
)

// lockAsStranger locks a database as another process that reads it would, until it is
// unlocked: whoever closes it then is not the last, and leaves its log as it is. The kernel
// keeps such a lock apart from those of the process, but closing what it was taken with would
// drop these too, so that nobody does.
func lockAsStranger(path string) (unlock func(), err error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	lock := unix.Flock_t{Type: unix.F_RDLCK, Start: sharedFirst, Len: sharedSize}
	if err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock); err != nil {
		return nil, err
	}
	return func() {
		lock.Type = unix.F_UNLCK
		_ = unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock)
	}, nil
}
