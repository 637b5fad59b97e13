package sqlite

import (
	"context"
	"errors"
	"os"
	"time"
)

// writeLock keeps account of the one lock that the application waits for.
type writeLock struct {
	taken, released       time.Time
	lastHeld, longestHeld time.Duration // that it was held
	checkpointed          int64         // frames of the log that were in the database when it was last written there
	wrote                 bool          // something was committed under it
}

// MaxLockHold is how long a transaction should hold the lock.
func (db *DB) MaxLockHold() time.Duration { return 30 * time.Millisecond }

// maxLockRest is for how long the lock is left alone at most before it is taken again.
const maxLockRest = 100 * time.Millisecond

// lockWrite begins a transaction that holds the write lock. It leaves the lock
// alone for as long as it was held the last time: those who wait for it do so by
// trying now and then, and would never find it free.
func (db *DB) lockWrite(ctx context.Context) error {
	until := time.Now().Add(db.options.LockTimeout)
	if deadline, set := ctx.Deadline(); set {
		until = deadline
	}
	db.checkpointLog(ctx)
	if err := sleepContext(ctx, time.Until(db.lock.released.Add(min(db.lock.lastHeld, maxLockRest)))); err != nil {
		return translate(err, "begin a transaction")
	}
	for began := time.Now(); ; {
		_, err := db.writer.runPrepared(ctx, `BEGIN IMMEDIATE`)
		if err == nil {
			db.lock.taken = time.Now()
			err := db.Present()
			if err == nil {
				err = db.joinLog(ctx)
			}
			if err != nil {
				db.rollbackWriter(ctx)
			}
			return err
		}
		if !isBusy(err) {
			db.writer.discardConn()
			return translate(err, "begin a transaction")
		}
		if time.Since(began) > snapshotGrace {
			// The application may hold the lock and wait for our reader, to begin the log anew.
			db.snapshot.endRead(ctx)
		}
		if time.Now().After(until) || sleepContext(ctx, lockRetryInterval) != nil {
			return passingError("begin a transaction", errors.Join(errors.New("the application writes all the time"), err))
		}
	}
}

const (
	// lockRetryInterval for a lock. SQLite itself would wait longer and longer, and an
	// application that writes often would always be first.
	lockRetryInterval = 2 * time.Millisecond
	snapshotGrace     = 100 * time.Millisecond
)

// sleepContext waits for a while.
func sleepContext(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rollbackWriter ends the writer's transaction without a trace.
func (db *DB) rollbackWriter(ctx context.Context) {
	if _, err := db.writer.runPrepared(context.WithoutCancel(ctx), `ROLLBACK`); err != nil {
		db.writer.discardConn() // which rolls back as well
	}
	db.lock.recordRelease()
}

func (l *writeLock) recordRelease() {
	l.released = time.Now()
	l.lastHeld = l.released.Sub(l.taken)
	l.longestHeld = max(l.longestHeld, l.lastHeld)
}

// checkpointFrames of the write-ahead log are worth to be written to the database. Left
// to itself SQLite would do so as part of a commit; the lock is free meanwhile, but
// nobody could tell.
const checkpointFrames = 1000

// checkpointLog writes the log to the database, as far as nobody reads it, if it has
// grown. The application does so as well. It is no part of any transaction: that it
// fails is no matter. One that was deleted is not to be written into what was put in the
// database's place.
func (db *DB) checkpointLog(ctx context.Context) {
	frames := db.index.at.log.Frames()
	if !db.hasLog() || db.Present() != nil {
		return
	}
	if frames < db.lock.checkpointed {
		db.lock.checkpointed = 0 // the log was begun anew
	}
	if frames-db.lock.checkpointed < checkpointFrames {
		return
	}
	var busy, all, done int64
	if _, err := queryOne(ctx, db.writer, `PRAGMA wal_checkpoint(PASSIVE)`, nil, &busy, &all, &done); err == nil {
		db.lock.checkpointed = done
	}
}

func (db *DB) hasLog() bool {
	info, err := os.Stat(db.options.Path + "-wal")
	return err == nil && info.Size() > 0
}

// truncateLog empties the log after a deletion: it holds pages as they were before, until
// somebody writes over them. It waits for nobody. While the log is emptied nobody else can
// write, so that what is left of it goes into the database before.
func (db *DB) truncateLog() {
	if !db.lock.wrote || !db.hasLog() || db.Present() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), db.options.CommitTimeout)
	defer cancel()
	db.snapshot.endRead(ctx)
	for _, checkpoint := range []string{`PRAGMA wal_checkpoint(PASSIVE)`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
		var busy, all, done int64
		if _, err := queryOne(ctx, db.writer, checkpoint, nil, &busy, &all, &done); err != nil {
			return // the application empties the log in its own time
		}
	}
}
