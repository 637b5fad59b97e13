package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"pruned/repo"
	"pruned/repo/sqlite/dbfile"
)

// kindByCode translates result codes. What is not listed is Permanent.
var kindByCode = map[int]repo.Kind{
	sqlite3.SQLITE_BUSY:      repo.Passing, // the application writes
	sqlite3.SQLITE_LOCKED:    repo.Passing,
	sqlite3.SQLITE_PROTOCOL:  repo.Passing, // many processes open it at once
	sqlite3.SQLITE_INTERRUPT: repo.Passing, // a deadline
	sqlite3.SQLITE_ABORT:     repo.Passing,
	sqlite3.SQLITE_SCHEMA:    repo.Passing, // the tables changed meanwhile
	sqlite3.SQLITE_NOMEM:     repo.Passing, // a smaller batch may do
	sqlite3.SQLITE_ERROR:     repo.Environment,
	sqlite3.SQLITE_INTERNAL:  repo.Environment,
	sqlite3.SQLITE_PERM:      repo.Environment,
	sqlite3.SQLITE_READONLY:  repo.Environment,
	sqlite3.SQLITE_IOERR:     repo.Environment,
	sqlite3.SQLITE_CORRUPT:   repo.Environment,
	sqlite3.SQLITE_FULL:      repo.Environment,
	sqlite3.SQLITE_CANTOPEN:  repo.Environment,
	sqlite3.SQLITE_NOLFS:     repo.Environment,
	sqlite3.SQLITE_AUTH:      repo.Environment,
	sqlite3.SQLITE_NOTADB:    repo.Environment,
	sqlite3.SQLITE_MISUSE:    repo.Environment,
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

// translate turns an error of the driver into a *repo.Error: what was being done,
// and what it means. Errors that are translated already pass through.
func translate(err error, doing string, args ...any) error {
	if err == nil {
		return nil
	}
	var done *repo.Error
	if errors.As(err, &done) {
		return err
	}
	return &repo.Error{Kind: kindOf(err), Doing: fmt.Sprintf(doing, args...), Err: hideTriggerMessage(err)}
}

func kindOf(err error) repo.Kind {
	var path *fs.PathError
	code := codeOf(err)
	switch kind, known := kindByCode[code]; {
	case known:
		return kind
	case code != 0:
		return repo.Permanent
	case errors.As(err, &path), errors.Is(err, dbfile.ErrCorrupt):
		return repo.Environment
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone):
		return repo.Passing
	}
	return repo.Permanent
}

// passingError is a failure of ours that trying again helps.
func passingError(doing string, err error) error {
	return &repo.Error{Kind: repo.Passing, Doing: doing, Err: err}
}

// refuseFile is why a database cannot be worked with.
func refuseFile(path string, err error) error {
	return &repo.Error{Kind: repo.Environment, Doing: "open " + path, Err: err}
}

// explainCode says in words what a code of an opening database means.
func explainCode(err error) error {
	switch codeOf(err) {
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("it is not a SQLite database, or it is encrypted (sqlite+sqlcipher), which is not supported: %w", err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("it is corrupt: restore a backup, or try .recover of the sqlite3 shell: %w", err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("another process holds it locked for itself: %w", err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return fmt.Errorf("it cannot be written to: run pruned as the user that the file belongs to: %w", err)
	case sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("it, or a file beside it, cannot be opened: run pruned as the user that the files belong to: %w", err)
	}
	return err
}

// triggerError is what a trigger raises. Its author may have put a row into the message:
// RAISE takes an expression since SQLite 3.47.
type triggerError struct{ answer *sqlite.Error }

func (r *triggerError) Error() string { return repo.Raised }
func (r *triggerError) Unwrap() error { return r.answer }

// text is what the trigger said: the driver puts words before it, and the code
// behind.
func (r *triggerError) text() string {
	_, message, _ := strings.Cut(r.answer.Error(), ": ")
	return strings.TrimSuffix(message, " (1811)")
}

// hideTriggerMessage replaces the error of a trigger that raises.
func hideTriggerMessage(err error) error {
	var answer *sqlite.Error
	if errors.As(err, &answer) && answer.Code() == sqlite3.SQLITE_CONSTRAINT_TRIGGER {
		return &triggerError{answer}
	}
	return err
}

// tellFixedMessage returns err with what a trigger raised, if the message is written out in
// a trigger, so that it quotes no row.
func (db *DB) tellFixedMessage(ctx context.Context, err error) error {
	var r *triggerError
	if !errors.As(err, &r) {
		return err
	}
	var fixed bool
	asked := db.pool.QueryRowContext(ctx, `SELECT count(*) > 0 FROM sqlite_master WHERE type = 'trigger' AND instr(sql, ?1) > 0`,
		strings.ReplaceAll(r.text(), "'", "''")).Scan(&fixed)
	if asked == nil && fixed {
		return repo.TellRaised(err, r.text())
	}
	return err
}
