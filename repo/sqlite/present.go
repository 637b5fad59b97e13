package sqlite

import (
	"context"
	"errors"
	"io/fs"
)

// errReplaced says that another file has the name of the one that was opened; errLogReplaced
// that this is so of its write-ahead log.
var (
	errReplaced    = errors.New("the file was replaced by another one")
	errLogReplaced = errors.New("its write-ahead log was replaced by another one")
)

// Present refuses when the file or its log was replaced, as a backup is restored: what was
// opened is nobody's database any more, and may tell of stores as they were. A lock on the
// index of a log that was deleted keeps nobody out. Only opening the database anew helps.
func (db *DB) Present() error {
	number, err := fileNumber(db.options.Path)
	if err == nil && number != db.number {
		err = errReplaced
	}
	if log := db.sharedLog.Load(); err == nil && log != nil {
		var now string
		if now, err = logNumber(db.options.Path); err == nil && now != *log {
			err = errLogReplaced
		}
	}
	if err != nil {
		return refuseFile(db.options.Path, err)
	}
	return nil
}

// joinLog opens the log with the connection that reads, and so keeps it as it is.
func (db *DB) joinLog(ctx context.Context) error {
	var version int64
	if _, err := queryOne(ctx, db.reader, `PRAGMA data_version`, nil, &version); err != nil {
		return refuseFile(db.options.Path, explainCode(err))
	}
	return db.noteLog()
}

// noteLog notes which files are the write-ahead log that our connections share with others.
// They stay the same as long as one of ours is open: only who closes last deletes them.
func (db *DB) noteLog() error {
	if db.sharedLog.Load() != nil {
		return nil
	}
	number, err := logNumber(db.options.Path)
	if err != nil {
		return refuseFile(db.options.Path, err)
	}
	if number != "" {
		db.sharedLog.Store(&number)
	}
	return nil
}

// logNumber tells a database's log, and the index of it in shared memory, from others of the
// same names. It is empty where there is none. Nobody may open the index here: closing it
// again would drop every lock of this process on it.
func logNumber(path string) (numbers string, err error) {
	for _, suffix := range []string{"-wal", "-shm"} {
		number, err := fileNumber(path + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		numbers += number + " "
	}
	return numbers, nil
}
