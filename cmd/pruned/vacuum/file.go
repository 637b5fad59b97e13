// Package vacuum gives back what deleted rows leave behind: a file of SQLite shrinks, a
// table of PostgreSQL gets its pages back, to fill them again.
//
// Its central idea is that a file or a table is taken as a whole, whatever is in it:
// neither SQLite nor PostgreSQL changes a row of it. The package knows no file of Open
// WebUI's, no store and no queue; the caller says which file, which table.
package vacuum

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite" // also the driver
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrInUse says that another connection has a file open.
var ErrInUse = errors.New("another process has it open")

const (
	// aloneTimeout is for locks of those who are about to end; liveTimeout for the
	// application's transactions, which are short.
	aloneTimeout = 500 * time.Millisecond
	liveTimeout  = 15 * time.Second
	// readersTimeout is for those who read what is in the log: while they are waited for
	// nobody can write.
	readersTimeout = time.Second
)

// File is an opened file of SQLite.
type File struct {
	path string
	db   *sql.DB
}

// OpenFile opens a file that is there. Unless live, nobody else can open it until it is
// closed, and it is refused with ErrInUse where somebody has it open: by SQLite's own
// locks, which other users and containers of this machine share. With a write-ahead log,
// Open WebUI's default, every connection holds one for as long as it lasts; without, only
// a transaction does (see FindHolders).
func OpenFile(ctx context.Context, path string, live bool) (*File, error) {
	// With temp_store(MEMORY) the copy would be in memory.
	pragmas, timeout := []string{"temp_store(FILE)", "synchronous(FULL)"}, liveTimeout
	if !live {
		pragmas, timeout = append(pragmas, "locking_mode(EXCLUSIVE)"), aloneTimeout
	}
	pragmas = append(pragmas, fmt.Sprintf("busy_timeout(%d)", timeout.Milliseconds()))
	uri := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: url.Values{"mode": {"rw"}, "_pragma": pragmas}.Encode()}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1) // which has the lock
	f := &File{path, db}
	if !live {
		err = f.exec(ctx, "BEGIN EXCLUSIVE; COMMIT")
	}
	if err != nil {
		f.Close()
		if isBusy(err) {
			err = ErrInUse
		}
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return f, nil
}

// Close closes the file, and releases its locks.
func (f *File) Close() { _ = f.db.Close() }

// Figures say how large a file is.
type Figures struct {
	Bytes  int64 // with its log
	Inside int64 // that are free within
	Used   int64 // the rest, without the log
}

// Measure reads the figures of the file.
func (f *File) Measure(ctx context.Context) (m Figures, err error) {
	var pages, free, size int64
	for pragma, to := range map[string]*int64{"page_count": &pages, "freelist_count": &free, "page_size": &size} {
		if err := f.db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(to); err != nil {
			return m, f.explain(ctx, err, "read PRAGMA "+pragma)
		}
	}
	m.Inside, m.Used = free*size, (pages-free)*size
	m.Bytes, err = f.size()
	return m, err
}

func (f *File) size() (bytes int64, err error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return 0, err
	}
	bytes = info.Size()
	if log, err := os.Stat(f.path + "-wal"); err == nil {
		bytes += log.Size()
	}
	return bytes, nil
}

// Need is what VACUUM must find free: Copy bytes in folder CopyDir, and Log bytes beside the
// file. "When VACUUMing a database, as much as twice the size of the original database file
// is required in free disk space" (sqlite.org/lang_vacuum.html): once for a copy, in a
// temporary file, and once for the log or journal by which the copy comes back in one
// transaction. Free pages are in neither, and they are what people come for: a file of
// 10 GB with 8 GB free inside needs 4 GB, and not 20. Seen in both kinds of journal: each
// is as large as the result, which is never larger than what is used.
type Need struct {
	Copy, Log int64
	CopyDir   string
}

// NeedOf tells what VACUUM needs of a file with these figures.
func NeedOf(path string, m Figures) Need {
	return Need{Copy: m.Used, Log: m.Used, CopyDir: copyDir(path)}
}

// copyDir is where the copy lies: where SQLite is told to keep its temporary files, or
// beside the file. SQLite's own choice would be /var/tmp or /tmp, which may be small, or
// memory, or missing in a container.
func copyDir(path string) string {
	if dir := os.Getenv("SQLITE_TMPDIR"); dir != "" {
		return dir
	}
	return filepath.Dir(path)
}

// listTextIndexes lists the full-text indexes of the file.
func (f *File) listTextIndexes(ctx context.Context) (names []string, err error) {
	rows, err := f.db.QueryContext(ctx, `SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// mergeTextIndexes takes out of full-text indexes what belongs to deleted rows: until its
// segments are merged an index keeps the words of a deleted text, with their places
// (sqlite.org/fts5.html, "The 'optimize' Command"). One that this build of SQLite cannot
// open, for want of its tokenizer, stays as it is.
func (f *File) mergeTextIndexes(ctx context.Context) error {
	names, err := f.listTextIndexes(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		if err := f.exec(ctx, "INSERT INTO "+quoted+" ("+quoted+") VALUES ('optimize')"); err != nil && codeOf(err) != sqlite3.SQLITE_ERROR {
			return err
		}
	}
	return nil
}

// Vacuum merges full-text indexes, rewrites the file, and truncates its log. logKept tells that another connection
// reads what is in the log, which stays until it has done.
func (f *File) Vacuum(ctx context.Context) (logKept bool, err error) {
	// The directory is the process's, not the connection's: where another one is told
	// meanwhile, the copy lies there.
	dir := strings.ReplaceAll(copyDir(f.path), "'", "''")
	if err := f.mergeTextIndexes(ctx); err != nil {
		return false, f.explain(ctx, err, "merge the full-text indexes of")
	}
	readers := fmt.Sprintf("PRAGMA busy_timeout = %d", readersTimeout.Milliseconds())
	for _, query := range []string{"PRAGMA temp_store_directory = '" + dir + "'", "VACUUM", readers} {
		if err := f.exec(ctx, query); err != nil {
			return false, f.explain(ctx, err, "vacuum")
		}
	}
	var frames, done int64
	err = f.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&logKept, &frames, &done)
	return logKept, f.explain(ctx, err, "truncate the log of")
}

func (f *File) exec(ctx context.Context, query string) error {
	_, err := f.db.ExecContext(ctx, query)
	return err
}

// explain says what a failure means for whoever waits; nil where nothing failed.
func (f *File) explain(ctx context.Context, err error, doing string) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil: // SQLite's answer to that is only that it was interrupted
		return fmt.Errorf("%s %s: %w: it is as it was", doing, f.path, ctx.Err())
	case isBusy(err):
		return fmt.Errorf("%s %s: others hold it locked for more than %s: %w", doing, f.path, liveTimeout, err)
	case codeOf(err) == sqlite3.SQLITE_FULL:
		return fmt.Errorf("%s %s: the disk became full meanwhile, and it is as it was: %w", doing, f.path, err)
	}
	return fmt.Errorf("%s %s: %w", doing, f.path, err)
}

// codeOf is the primary result code of SQLite's in err, or zero.
func codeOf(err error) int {
	var answer *sqlite.Error
	if errors.As(err, &answer) {
		return answer.Code() & 0xff
	}
	return 0
}

func isBusy(err error) bool {
	code := codeOf(err)
	return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
}
