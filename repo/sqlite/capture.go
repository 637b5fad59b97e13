package sqlite

import (
	"context"
	"errors"

	"pruned/repo"
)

var errNothingToCapture = &repo.Error{Kind: repo.Environment, Doing: "capture changes",
	Err: errors.New("SQLite's own log tells which rows were written: --capture is for PostgreSQL")}

// CaptureChanges refuses: looks read only what changed as it is.
func (db *DB) CaptureChanges(context.Context) (captured, others []string, err error) {
	return nil, nil, errNothingToCapture
}

// ReleaseChanges has nothing to end.
func (db *DB) ReleaseChanges(context.Context) error { return nil }
