package sqlite

import (
	"context"
	"errors"
	"os"
	"time"
)

// writeLock keeps account of the one lock that the application waits for.
type writeLock struct {
	taken, released time.Time
	last, longest   time.Duration // that it was held
	checkpointed    int64         // frames of the log that were in the database when it was last written there
}

// Brief is how long a transaction should hold the lock.
func (db *DB) Brief() time.Duration { return 30 * time.Millisecond }

// mostRest is for how long the lock is left alone at most before it is taken again.
const mostRest = 100 * time.Millisecond

// lockWrite begins a transaction that holds the write lock. It leaves the lock
// alone for as long as it was held the last time: those who wait for it do so by
// trying now and then, and would never find it free.
func (db *DB) lockWrite(ctx context.Context) error {
	until := time.Now().Add(db.options.Patience)
	if deadline, set := ctx.Deadline(); set {
		until = deadline
	}
	db.checkpoint(ctx)
	if err := pause(ctx, time.Until(db.lock.released.Add(min(db.lock.last, mostRest)))); err != nil {
		return translate(err, "begin a transaction")
	}
	for began := time.Now(); ; {
		_, err := db.writer.exec(ctx, `BEGIN IMMEDIATE`)
		if err == nil {
			db.lock.taken = time.Now()
			if err := db.present(); err != nil {
				db.unlock(ctx)
				return err
			}
			return nil
		}
		if !isBusy(err) {
			db.writer.discard()
			return translate(err, "begin a transaction")
		}
		if time.Since(began) > pinWait {
			// Whoever has the lock may wait for our reader: to begin the log anew.
			db.pin.release(ctx)
		}
		if time.Now().After(until) || pause(ctx, betweenTries) != nil {
			return passing("begin a transaction", errors.Join(errors.New("the application writes all the time"), err))
		}
	}
}

const (
	// betweenTries for a lock. SQLite itself would wait longer and longer, and an
	// application that writes often would always be first.
	betweenTries = 2 * time.Millisecond
	pinWait      = 100 * time.Millisecond
)

// pause waits for a while.
func pause(ctx context.Context, d time.Duration) error {
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

// unlock ends the writer's transaction without a trace.
func (db *DB) unlock(ctx context.Context) {
	if _, err := db.writer.exec(context.WithoutCancel(ctx), `ROLLBACK`); err != nil {
		db.writer.discard() // which rolls back as well
	}
	db.lock.free()
}

func (l *writeLock) free() {
	l.released = time.Now()
	l.last = l.released.Sub(l.taken)
	l.longest = max(l.longest, l.last)
}

// longFrames of the write-ahead log are worth to be written to the database. Left
// to itself SQLite would do so as part of a commit; the lock is free meanwhile, but
// nobody could tell.
const longFrames = 1000

// checkpoint writes the log to the database, as far as nobody reads it, if it has
// grown. The application does so as well. It is no part of any transaction: that it
// fails is no matter.
func (db *DB) checkpoint(ctx context.Context) {
	frames := db.index.at.log.Frames()
	if info, err := os.Stat(db.options.Path + "-wal"); err != nil || info.Size() == 0 {
		return
	}
	if frames < db.lock.checkpointed {
		db.lock.checkpointed = 0 // the log was begun anew
	}
	if frames-db.lock.checkpointed < longFrames {
		return
	}
	var busy, all, done int64
	if _, err := one(ctx, db.writer, `PRAGMA wal_checkpoint(PASSIVE)`, nil, &busy, &all, &done); err == nil {
		db.lock.checkpointed = done
	}
}
