package sqlite

import (
	"context"
	"errors"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// raised is what a trigger raises. Its author may have put a row into the message
// (RAISE takes an expression since SQLite 3.47), which is told only if it always
// says just that.
type raised struct {
	answer *sqlite.Error
	fixed  bool
}

func (r *raised) Error() string {
	if r.fixed {
		return r.answer.Error()
	}
	return "a trigger raises an exception, whose message is not told, since it may quote a row (1811)"
}

func (r *raised) Unwrap() error { return r.answer }

// hideRaised replaces the error of a trigger that raises.
func hideRaised(err error) error {
	var answer *sqlite.Error
	if errors.As(err, &answer) && answer.Code() == sqlite3.SQLITE_CONSTRAINT_TRIGGER {
		return &raised{answer: answer}
	}
	return err
}

// tellFixed has an error say what a trigger raised, if the message is written out in
// a trigger. The driver puts words before it, and the code behind.
func (db *DB) tellFixed(ctx context.Context, err error) {
	var r *raised
	if !errors.As(err, &r) || r.fixed {
		return
	}
	_, message, _ := strings.Cut(r.answer.Error(), ": ")
	message = strings.TrimSuffix(message, " (1811)")
	_ = db.pool.QueryRowContext(ctx, `SELECT count(*) > 0 FROM sqlite_master WHERE type = 'trigger' AND instr(sql, ?1) > 0`,
		strings.ReplaceAll(message, "'", "''")).Scan(&r.fixed)
}
