package sqlite

import (
	"context"
	"errors"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"pruned/repo"
)

// raised is what a trigger raises. Its author may have put a row into the message:
// RAISE takes an expression since SQLite 3.47.
type raised struct{ answer *sqlite.Error }

func (r *raised) Error() string { return repo.Raised }
func (r *raised) Unwrap() error { return r.answer }

// message is what the trigger said: the driver puts words before it, and the code
// behind.
func (r *raised) message() string {
	_, message, _ := strings.Cut(r.answer.Error(), ": ")
	return strings.TrimSuffix(message, " (1811)")
}

// hideRaised replaces the error of a trigger that raises.
func hideRaised(err error) error {
	var answer *sqlite.Error
	if errors.As(err, &answer) && answer.Code() == sqlite3.SQLITE_CONSTRAINT_TRIGGER {
		return &raised{answer}
	}
	return err
}

// tellFixed returns err with what a trigger raised, if the message is written out in
// a trigger, so that it quotes no row.
func (db *DB) tellFixed(ctx context.Context, err error) error {
	var r *raised
	if !errors.As(err, &r) {
		return err
	}
	var fixed bool
	asked := db.pool.QueryRowContext(ctx, `SELECT count(*) > 0 FROM sqlite_master WHERE type = 'trigger' AND instr(sql, ?1) > 0`,
		strings.ReplaceAll(r.message(), "'", "''")).Scan(&fixed)
	if asked == nil && fixed {
		return repo.TellRaised(err, r.message())
	}
	return err
}
