package repo

import (
	"errors"
	"fmt"
)

// ErrNoHold says that no sweep is held under an id.
var ErrNoHold = errors.New("no sweep is held under that id")

// ErrRowsMissing says that rows of table file that were there when the last
// tombstones were written are gone, and were not deleted by pruned: a backup may
// just be restored, and what is due may be in use again in a moment.
var ErrRowsMissing = errors.New("rows of table file are missing that pruned did not delete, as while a backup is restored: nothing is removed until they are back, or a day has passed and table file is not empty")

// Kind is what a failure means for whoever handles a batch. It is decided once,
// at the border of the engine.
type Kind int

const (
	// Unknown: no answer to COMMIT. It may have happened or not; everything
	// is idempotent, so the batch is handled again.
	Unknown Kind = iota
	// Passing: trying again helps (connection, serialization, deadlock, timeout).
	Passing
	// Environment: nothing can be deleted until somebody mends the database
	// (read-only, privilege, missing table, no space).
	Environment
	// Permanent: these rows can never be deleted (a constraint, a trigger that raises).
	Permanent
)

// String is the name of the kind.
func (k Kind) String() string {
	return [...]string{"unknown", "passing", "environment", "permanent"}[k]
}

// Error is a failure of an engine, translated.
type Error struct {
	Kind     Kind
	SQLState string // five characters, or empty
	Doing    string // what was being done, to which thing
	Err      error
}

// Error says what was being done, and why it failed.
func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Doing, e.Err) }

// Unwrap returns why it failed.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's chain. An error that no
// engine translated is Permanent: it is a fault of ours, and trying for ever
// would hide it.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Permanent
}

// SQLState returns the SQLSTATE of the first *Error in err's chain, or nothing.
func SQLState(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.SQLState
	}
	return ""
}
