package sqlite

import (
	"context"
	"maps"
	"slices"
	"time"

	"pruned/repo/sqlite/dbfile"
)

// dbState is one state of the database, as a transaction that holds the write lock
// finds it: nobody can change it meanwhile.
type dbState struct {
	session int   // number of the writer's connection: version means nothing to another
	version int64 // PRAGMA data_version
	schema  int64 // PRAGMA schema_version
	pages   int64 // of the whole database
	logged  bool  // there is a write-ahead log
	log     dbfile.Position
}

// changes are what happened between two states.
type changes struct {
	all   bool // it cannot be told
	pages map[uint32]bool
}

func (c changes) isEmpty() bool { return !c.all && len(c.pages) == 0 }

// walTailer reads the write-ahead log ahead, from the state of the index on, so
// that little of it is left to read while the write lock is held.
type walTailer struct {
	at    dbfile.Position
	lost  bool // the log was begun anew since, or there was none
	pages map[uint32]bool
	last  []uint32 // of the last transaction before at
	// doubtful are those of the last transaction before the state of the index: if its process
	// had told nobody of it, the next one may have written the very same once more.
	doubtful []uint32
}

func (f *walTailer) startAt(at dbfile.Position) {
	*f = walTailer{at: at, pages: map[uint32]bool{}, last: f.last, doubtful: f.last}
}

func (f *walTailer) readAhead(path string) error {
	written := map[uint32]bool{}
	to, goesOn, err := dbfile.ReadLog(path, f.at, func(pages []uint32) {
		f.last = slices.Clone(pages)
		for _, page := range pages {
			written[page] = true
		}
	})
	if err != nil {
		return translate(err, "read the write-ahead log")
	}
	if !goesOn && (f.at.Known() || to.Known()) {
		f.lost, f.pages = true, nil
	}
	if !f.lost {
		maps.Copy(f.pages, written)
	}
	f.at = to
	return nil
}

// observeState tells the state of the database, and what changed since that of the
// index. The writer holds the write lock.
func (db *DB) observeState(ctx context.Context) (now dbState, c changes, err error) {
	now = dbState{session: db.writer.number}
	var journal string
	for _, pragma := range []struct {
		name string
		to   any
	}{{"data_version", &now.version}, {"schema_version", &now.schema}, {"page_count", &now.pages}, {"journal_mode", &journal}} {
		if _, err := queryOne(ctx, db.writer, `PRAGMA `+pragma.name, nil, pragma.to); err != nil {
			return now, c, translate(err, "read PRAGMA %s", pragma.name)
		}
	}
	now.logged = journal == "wal"
	if err := db.tailer.readAhead(db.options.Path); err != nil {
		return now, c, err
	}
	at := db.index.at
	now.log = db.tailer.at
	same := at.session == now.session && at.version == now.version
	switch {
	case !db.index.complete, at.schema != now.schema, at.logged != now.logged:
		c.all = true
	case !now.logged:
		// What is ours changed no row that counts, but links of deleted files.
		c.all = !same
	case !db.tailer.lost:
		c.pages = maps.Clone(db.tailer.pages)
		// Without a single frame nothing can be compared but the version.
		c.all = len(c.pages) == 0 && !same && (at.session == now.session || !now.log.Known())
		if !same {
			for _, page := range db.tailer.doubtful {
				c.pages[page] = true
			}
		}
	default:
		c.all = true
	}
	return now, c, nil
}

// setIndexState says that the index is true for a state.
func (db *DB) setIndexState(now dbState) {
	db.index.at = now
	at := time.Now()
	db.indexedAt.Store(&at)
	db.tailer.startAt(now.log)
}

// IndexAge tells when the index was last made true: it is this process's own.
func (db *DB) IndexAge(context.Context) (age time.Duration, known bool, err error) {
	at := db.indexedAt.Load()
	if at == nil {
		return 0, false, nil
	}
	return time.Since(*at), true, nil
}
