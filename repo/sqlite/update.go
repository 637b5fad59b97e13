package sqlite

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"pruned/repo"
	"pruned/repo/sqlite/dbfile"
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
// its inner pages, where one of these was written (see tree). What a row mentioned when
// it was last read counts as long as the row is there; what it mentioned before does
// not.
//
// New rows of table file are found in the same way, before the texts are read, so
// that no text is searched without knowing of them.
//
// Everything is read again where the log was begun anew since the index was read
// (its frames are in the database then, and can no longer be told apart), where
// there is no log, and after any change of the schema. A read snapshot keeps the
// log from being begun anew while batches follow each other, if it needs the log: see
// beginLog.

const (
	// maxLockedUpdate is how long the index may be brought up to date while the write lock
	// is held, and atMost where the application writes so often that there is no
	// other way.
	maxLockedUpdate   = 30 * time.Millisecond
	maxForcedUpdate   = 900 * time.Millisecond
	maxBlockedWriters = 3 * time.Second // for which writers may wait at last
	// tries until then, and at all.
	gentleTries, maxTries = 4, 8
)

var (
	errTooSlow = errors.New("it takes too long")
	errBusy    = errors.New("the application writes faster than the database can be read")
)

// lockWriteIndexed begins a transaction that holds the write lock, with an index that
// is true for what it sees, until it ends.
func (db *DB) lockWriteIndexed(ctx context.Context) error {
	for try := 1; ; try++ {
		if err := db.tailer.readAhead(db.options.Path); err != nil {
			return err
		}
		if db.snapshot.isDear(db.index.at) {
			db.snapshot.endRead(ctx)
		}
		if err := db.lockWrite(ctx); err != nil {
			return err
		}
		limit := maxLockedUpdate
		if try > gentleTries {
			limit = maxForcedUpdate
		}
		err := db.updateIndexWithin(ctx, limit)
		if err == nil {
			return nil
		}
		db.rollbackWriter(ctx)
		if !errors.Is(err, errTooSlow) {
			return err
		}
		if try == maxTries {
			return passingError("look for references", errBusy)
		}
		if err := db.updateUnlocked(ctx, nil); err != nil {
			return err
		}
	}
}

// updateIndexWithin brings the index up to date while the write lock is held, if that
// can be expected to take no longer than the limit.
func (db *DB) updateIndexWithin(ctx context.Context, limit time.Duration) error {
	now, c, err := db.observeState(ctx)
	if err != nil {
		return err
	}
	cost := int64(len(c.pages))
	if c.all {
		cost = now.pages
	}
	if !c.isEmpty() && db.rate.timeFor(cost) > limit {
		return errTooSlow
	}
	return db.updateIndex(ctx, db.writer, now, c, pace{deadline: time.Now().Add(2 * limit)}, nil)
}

// updateUnlocked brings the index up to date without holding the write lock but for the
// instant in which the reader begins to see the same state.
func (db *DB) updateUnlocked(ctx context.Context, progress repo.Progress) error {
	for try := 1; ; try++ {
		rests := try < gentleTries
		err := db.tryUpdateUnlocked(ctx, progress, rests)
		if !errors.Is(err, errMoved) {
			return err
		}
		if try == gentleTries {
			return passingError("read the tables", errBusy)
		}
	}
}

// tryUpdateUnlocked yields to writers now and then, if it rests, where they wait for
// readers. It cannot, where they write all the time and a pass is over before they
// give up: Open WebUI's wait for 5 s.
func (db *DB) tryUpdateUnlocked(ctx context.Context, progress repo.Progress, rests bool) error {
	if err := db.tailer.readAhead(db.options.Path); err != nil {
		return err
	}
	if err := db.lockWrite(ctx); err != nil {
		return err
	}
	now, c, err := db.observeState(ctx)
	if err == nil && c.all && now.logged && db.onlyIDs == nil {
		if err := db.beginLog(ctx); err != nil {
			return err
		}
		now, _, err = db.observeState(ctx) // everything is read, whatever changed
	}
	if err == nil {
		err = db.snapshot.beginRead(ctx)
	}
	db.rollbackWriter(ctx)
	if err != nil {
		return err
	}
	defer db.snapshot.keepForReuse(now)
	var p pace
	if expected := db.rate.timeFor(now.pages); !now.logged && expected > maxForcedUpdate && (rests || expected > maxBlockedWriters) {
		p.yield = db.snapshot.yieldToWriters(ctx)
	}
	return db.updateIndex(ctx, db.reader, now, c, p, progress)
}

// updateIndex makes the index true for a state that a session sees. Where it is ended
// early, the index is as true for its old state as before.
func (db *DB) updateIndex(ctx context.Context, s *session, now dbState, c changes, p pace, progress repo.Progress) error {
	if c.isEmpty() {
		db.setIndexState(now)
		return nil
	}
	pages, err := s.resetPager(ctx)
	if err != nil {
		return translate(err, "read pages")
	}
	began, read := time.Now(), pages.PagesRead()
	r := &indexPass{db: db, session: s, pager: pages, pace: p, progress: progress}
	if c.all {
		err = r.readAll(ctx)
	} else {
		err = r.readChanged(ctx, c.pages)
	}
	if p.yield == nil { // rests are no part of it
		db.rate.addSample(pages.PagesRead()-read, time.Since(began))
	}
	if err != nil {
		return translate(err, "read the tables")
	}
	db.setIndexState(now)
	db.index.compactPostings()
	return nil
}

// pace bounds a pass: by an end, where somebody waits for it, or by rests.
type pace struct {
	deadline time.Time
	yield    func() error // between two pages, while no statement is under way
}

func (p pace) checkDeadline() error {
	if !p.deadline.IsZero() && time.Now().After(p.deadline) {
		return errTooSlow
	}
	return nil
}

func (p pace) betweenPages() error {
	if p.yield != nil {
		return p.yield()
	}
	return p.checkDeadline()
}

// pageRate is how fast pages are read.
type pageRate struct{ perSecond float64 }

const assumedRate = 50_000

func (r *pageRate) timeFor(pages int64) time.Duration {
	perSecond := r.perSecond
	if perSecond == 0 {
		perSecond = assumedRate
	}
	return time.Duration(float64(pages) / perSecond * float64(time.Second))
}

// addSample leaves out what is too little to tell.
func (r *pageRate) addSample(pages int, took time.Duration) {
	if pages < 1000 || took <= 0 {
		return
	}
	measured := float64(pages) / took.Seconds()
	if r.perSecond == 0 {
		r.perSecond = measured
	}
	r.perSecond = (r.perSecond + measured) / 2
}

// IndexChanges brings the index up to date with what changed since it was made. Where
// that cannot be told any more it reads everything again.
func (db *DB) IndexChanges(ctx context.Context) error { return db.updateAndEndGrace(ctx, nil, false) }

// IndexAll also reads everything where it never was, or where files appeared that
// older rows may mention.
func (db *DB) IndexAll(ctx context.Context, progress repo.Progress) error {
	return db.updateAndEndGrace(ctx, progress, true)
}

// PrepareLooks has nothing to plan.
func (db *DB) PrepareLooks(context.Context, int) error { return nil }

// IndexFiles reads everything once, and looks for these ids and no others.
func (db *DB) IndexFiles(ctx context.Context, ids []string, progress repo.Progress) error {
	if err := db.mutex.lock(ctx); err != nil {
		return err
	}
	defer db.mutex.unlock()
	db.restrictIndex(ids)
	return db.updateUnlocked(ctx, progress)
}

// restrictIndex begins an index anew, which is about these ids.
func (db *DB) restrictIndex(ids []string) {
	db.index, db.onlyIDs = &index{}, ids
	db.tailer.startAt(dbfile.Position{})
}

func (db *DB) updateAndEndGrace(ctx context.Context, progress repo.Progress, whole bool) error {
	mentioned, err := db.updateAndFindMentioned(ctx, progress, whole)
	if err != nil || len(mentioned) == 0 {
		return err
	}
	return db.InTx(ctx, nil, func(t repo.Tx) error {
		for _, d := range []repo.Direction{repo.FromRows, repo.FromCollections} {
			if err := db.SetGrace(ctx, t, d, nil, mentioned); err != nil {
				return err
			}
		}
		return nil
	})
}

// updateAndFindMentioned also returns the files and names that were known to be
// unreferenced, and are mentioned by now.
func (db *DB) updateAndFindMentioned(ctx context.Context, progress repo.Progress, whole bool) (mentioned []string, err error) {
	if err := db.mutex.lock(ctx); err != nil {
		return nil, err
	}
	defer db.mutex.unlock()
	if db.onlyIDs != nil {
		db.restrictIndex(nil)
	}
	if !db.index.complete && !whole {
		return nil, nil
	}
	if err := db.learnNames(ctx); err != nil {
		return nil, err
	}
	if err := db.updateUnlocked(ctx, progress); err != nil {
		return nil, err
	}
	if whole && len(db.index.late) > 0 {
		db.index.at = dbState{} // which reads everything
		if err := db.updateUnlocked(ctx, progress); err != nil {
			return nil, err
		}
	}
	clocked, err := queryColumn[string](ctx, db.reader, `SELECT file_id FROM pruned_candidate WHERE direction IN ('row', 'collection')`)
	if err != nil {
		return nil, translate(err, "list the candidates")
	}
	found, err := db.index.findLiving(ctx, db.reader, clocked)
	return slices.Collect(maps.Keys(found)), err
}
