package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"time"
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

// joinLog opens the write-ahead log, if there is one by now, with the connection that reads,
// and notes which files it is. They stay the same as long as one of our connections has them
// open: only who closes last deletes them.
func (db *DB) joinLog(ctx context.Context) error {
	if db.sharedLog.Load() != nil {
		return nil
	}
	var version int64
	var journal string
	_, err := queryOne(ctx, db.reader, `PRAGMA data_version`, nil, &version) // it is read, and so opened, here
	if err == nil {
		_, err = queryOne(ctx, db.reader, `PRAGMA journal_mode`, nil, &journal)
	}
	if err != nil {
		return refuseFile(db.options.Path, explainCode(err))
	}
	if journal != "wal" {
		return nil
	}
	number, err := logNumber(db.options.Path)
	if err != nil {
		return refuseFile(db.options.Path, err)
	}
	db.sharedLog.Store(&number)
	return nil
}

// leaveLog closes all connections. Who closes last writes the log into the database, which
// must not be done with one that was deleted: what was put in the database's place would be
// neither the one nor the other. And whoever opens the database while one of ours is left
// gets the index of the deleted log with it.
func (db *DB) leaveLog() {
	unlock := func() {}
	replaced := errors.Is(db.Present(), errLogReplaced)
	if replaced {
		if locked, err := lockAsStranger(db.options.Path); err == nil {
			unlock = locked
		}
	}
	db.writer.closeConn()
	db.reader.closeConn()
	_ = db.pool.Close()
	for until := time.Now().Add(db.options.CommitTimeout); replaced && db.pool.Stats().OpenConnections > 0; time.Sleep(lockRetryInterval) {
		if time.Now().After(until) {
			return // with the lock
		}
	}
	unlock()
}

// logNumber tells a database's log, and the index of it in shared memory, from others of the
// same names. It is empty where one is missing. Nobody may open the index here: closing it
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
