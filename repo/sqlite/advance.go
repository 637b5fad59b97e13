package sqlite

import (
	"context"
	"errors"
	"time"

	"pruned/repo"
)

// How the index follows the database, and why nothing is missed.
//
// The state of the index is a place in the write-ahead log, read while the write
// lock was held, so that it is exactly what the transaction that read the rows
// saw. From there on the log lists the pages that were written. A row is a cell of
// a leaf of its table, and, where it is too long for that, a chain of further
// pages that the cell points to. A row whose text differs from what was read, or
// that is new, has at least one page that was written since:
//
//   - its leaf, whenever a row is inserted, or is replaced by one of another
//     length, or moves: SQLite writes the cell anew;
//   - a page of its chain alone, where it is replaced by a row of the same length
//     (SQLite then writes only the pages that differ). The chain before the first
//     such page is as it was read, so that this page is where it was, and the
//     index knows whose it is.
//
// So the rows of the leaves that were written, and of those that own a page that
// was written, are read again, and no others. The leaves of a table are found by
// its inner pages, which are few. What a row mentioned when it was last read
// counts as long as the row is there; what it mentioned before does not.
//
// New rows of table file are found in the same way, before the texts are read, so
// that no text is searched without knowing of them.
//
// Everything is read again where the log was begun anew since the index was read
// (its frames are in the database then, and can no longer be told apart), where
// there is no log, and after any change of the schema. A pin keeps the log from
// being begun anew while batches follow each other.

const (
	// briefly is how long the index may be brought up to date while the write lock
	// is held, and atMost where the application writes so often that there is no
	// other way.
	briefly = 30 * time.Millisecond
	atMost  = 900 * time.Millisecond
	patient = 3 * time.Second // for which writers may wait at last
	// tries until then, and at all.
	triesBriefly, tries = 4, 8
)

var (
	errTooSlow = errors.New("it takes too long")
	errBusy    = errors.New("the application writes faster than the database can be read")
)

// beginCurrent begins a transaction that holds the write lock, with an index that
// is true for what it sees, until it ends.
func (db *DB) beginCurrent(ctx context.Context) error {
	for try := 1; ; try++ {
		if err := db.follower.follow(db.options.Path); err != nil {
			return err
		}
		if err := db.lockWrite(ctx); err != nil {
			return err
		}
		limit := briefly
		if try > triesBriefly {
			limit = atMost
		}
		err := db.bringWithin(ctx, limit)
		if err == nil {
			return nil
		}
		db.unlock(ctx)
		if !errors.Is(err, errTooSlow) {
			return err
		}
		if try == tries {
			return passing("look for references", errBusy)
		}
		if err := db.catchUp(ctx, nil); err != nil {
			return err
		}
	}
}

// bringWithin brings the index up to date while the write lock is held, if that
// can be expected to take no longer than the limit.
func (db *DB) bringWithin(ctx context.Context, limit time.Duration) error {
	now, c, err := db.observe(ctx)
	if err != nil {
		return err
	}
	cost := int64(len(c.pages))
	if c.all {
		cost = now.pages
	}
	if !c.none() && db.rate.expect(cost) > limit {
		return errTooSlow
	}
	return db.bring(ctx, db.writer, now, c, pace{end: time.Now().Add(2 * limit)}, nil)
}

// catchUp brings the index up to date without holding the write lock but for the
// instant in which the reader begins to see the same state.
func (db *DB) catchUp(ctx context.Context, progress repo.Progress) error {
	for try := 1; ; try++ {
		rests := try < triesBriefly
		err := db.catchUpOnce(ctx, progress, rests)
		if !errors.Is(err, errMoved) {
			return err
		}
		if try == triesBriefly {
			return passing("read the tables", errBusy)
		}
	}
}

// catchUpOnce lets writers go first now and then, if it rests, where they wait for
// readers. It cannot, where they write all the time and a pass is over before they
// give up: Open WebUI's wait for 5 s.
func (db *DB) catchUpOnce(ctx context.Context, progress repo.Progress, rests bool) error {
	if err := db.follower.follow(db.options.Path); err != nil {
		return err
	}
	if err := db.lockWrite(ctx); err != nil {
		return err
	}
	now, c, err := db.observe(ctx)
	if err == nil {
		err = db.pin.set(ctx)
	}
	db.unlock(ctx)
	if err != nil {
		return err
	}
	defer db.pin.keep(now)
	var p pace
	if expected := db.rate.expect(now.pages); !now.logged && expected > atMost && (rests || expected > patient) {
		p.breathe = db.pin.breathe(ctx)
	}
	return db.bring(ctx, db.reader, now, c, p, progress)
}

// bring makes the index true for a state that a session sees. Where it is ended
// early, the index is as true for its old state as before.
func (db *DB) bring(ctx context.Context, s *session, now state, c changes, p pace, progress repo.Progress) error {
	if c.none() {
		db.reached(now)
		return nil
	}
	pages, err := s.pager(ctx)
	if err != nil {
		return translate(err, "read pages")
	}
	began, read := time.Now(), pages.PagesRead()
	r := &reading{db: db, session: s, pages: pages, pace: p, progress: progress}
	if c.all {
		err = r.everything(ctx)
	} else {
		err = r.changed(ctx, c.pages)
	}
	if p.breathe == nil { // rests are no part of it
		db.rate.learn(pages.PagesRead()-read, time.Since(began))
	}
	if err != nil {
		return translate(err, "read the tables")
	}
	db.reached(now)
	db.index.tidy()
	return nil
}

// pace bounds a pass: by an end, where somebody waits for it, or by rests.
type pace struct {
	end     time.Time
	breathe func() error // between two pages, while no statement is under way
}

func (p pace) check() error {
	if !p.end.IsZero() && time.Now().After(p.end) {
		return errTooSlow
	}
	return nil
}

func (p pace) pause() error {
	if p.breathe != nil {
		return p.breathe()
	}
	return p.check()
}

// rate is how fast pages are read.
type rate struct{ perSecond float64 }

const firstRate = 50_000

func (r *rate) expect(pages int64) time.Duration {
	perSecond := r.perSecond
	if perSecond == 0 {
		perSecond = firstRate
	}
	return time.Duration(float64(pages) / perSecond * float64(time.Second))
}

// learn leaves out what is too little to tell.
func (r *rate) learn(pages int, took time.Duration) {
	if pages < 1000 || took <= 0 {
		return
	}
	measured := float64(pages) / took.Seconds()
	if r.perSecond == 0 {
		r.perSecond = measured
	}
	r.perSecond = (r.perSecond + measured) / 2
}
