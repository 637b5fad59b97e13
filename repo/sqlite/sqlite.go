// Package sqlite is the database side on SQLite.
//
// Its central idea is that nobody else writes while we do. A transaction is short
// and holds the one write lock, so that what is true when it begins stays true
// until it ends; what takes long, reading every text for mentions of files, is
// done before, and kept in memory together with the exact state of the database
// that it was read from. When a transaction begins, only the pages that the
// application has written since are read again. The package knows nothing of the
// queue or of vectors.
//
// SQLite stamps no versions on rows. What it does say is which pages of the file
// every transaction changed: the write-ahead log is a list of them. See update.go
// for why that is enough. Without a write-ahead log the number of a database's
// version, PRAGMA data_version, only says that something changed, and everything
// is read again.
package sqlite

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync/atomic"
	"time"

	"pruned/repo"
	"pruned/repo/sqlite/dbfile"
	"pruned/repo/witness"
)

// Options say which database, and how long to wait.
type Options struct {
	Path string // of webui.db
	// LockTimeout bounds the wait for the write lock where the caller sets no
	// deadline of its own; CommitTimeout the wait for readers at a commit.
	LockTimeout, CommitTimeout time.Duration
	// Ignore names tables, and columns as table.column, in which a mention does
	// not count.
	Ignore []string
	// CitationsIgnore: mentions that only cite do not count (openwebui.Citations).
	CitationsIgnore bool
	// DepartedIgnore: mentions in rows that nobody can open any more, since their user is
	// gone, do not count (openwebui.Owned).
	DepartedIgnore bool
	// Place is where the file is; without a path it is found out.
	Place witness.Place
}

func (o Options) withDefaults() Options {
	if o.LockTimeout == 0 {
		o.LockTimeout = 15 * time.Second
	}
	if o.CommitTimeout == 0 {
		o.CommitTimeout = 15 * time.Second
	}
	return o
}

// DB is one installation's database.
type DB struct {
	options   Options
	identity  repo.Identity
	number    string // of the file
	place     witness.Place
	sharedLog atomic.Pointer[string] // number of the log; nil until there is one

	pool    *sql.DB // for statements of their own, which see what is committed
	writer  *session
	reader  *session
	mutex   mutex // guards writer, reader and index
	index   *index
	onlyIDs []string // the ids that the index is about; nil: all of table file

	indexedAt   atomic.Pointer[time.Time] // when the index was last made true
	tailer      walTailer                 // of the write-ahead log, from the index on
	rate        pageRate
	snapshot    readSnapshot
	sweepNames  sweepNames
	sharedNames sharedNames
	links       links
	lock        writeLock
}

var _ = repo.NewEngine[*DB]

// Open opens a database, and refuses what is no writable database of Open WebUI
// in a sentence that says what is wrong. It changes nothing.
func Open(ctx context.Context, options Options) (*DB, error) {
	options = options.withDefaults()
	if err := examineFile(options.Path); err != nil {
		return nil, refuseFile(options.Path, err)
	}
	// Where the file is, not a link to it: the log lies there.
	resolved, err := filepath.EvalSymlinks(options.Path)
	if err != nil {
		return nil, refuseFile(options.Path, err)
	}
	options.Path = resolved
	db := &DB{options: options, pool: openPool(options.Path), mutex: make(mutex, 1), index: &index{}}
	db.snapshot.db, db.snapshot.yieldEvery, db.snapshot.minDear = db, yieldEvery, minDearLog
	db.tailer.startAt(dbfile.Position{})
	if err := db.identifyDatabase(ctx); err != nil {
		_ = db.pool.Close()
		return nil, err
	}
	db.writer, db.reader = &session{pool: db.pool, writes: true}, &session{pool: db.pool}
	if err := db.joinLog(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// Close closes every connection. What was deleted is in no file then, unless somebody reads.
func (db *DB) Close() {
	db.snapshot.stopTimer()
	db.mutex <- struct{}{} // a transaction under way ends first
	db.truncateLog()
	db.leaveLog()
}

// Identity tells this installation from every other.
func (db *DB) Identity() repo.Identity { return db.identity }

// mutex is had by one at a time.
type mutex chan struct{}

func (t mutex) lock(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return translate(ctx.Err(), "wait for another transaction of ours")
	}
}

func (t mutex) unlock() { <-t }
