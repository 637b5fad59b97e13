package main

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"pruned/consumer/loop"
)

// writer is an application that writes a little, again and again. It takes down
// how long it could not because somebody else had a lock, and what each of its
// writes took in all, with the disk's part. SQLite's own pauses between tries grow
// up to a tenth of a second, and would be measured as well: it tries every
// millisecond.
type writer struct {
	path, statement string
	waited, took    []time.Duration
}

const (
	betweenWrites = 5 * time.Millisecond
	betweenTries  = time.Millisecond
)

// writeUntil writes until ctx ends.
func (w *writer) writeUntil(ctx context.Context) error {
	return withSQLite(w.path, func(db *sql.DB) error {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
			return err
		}
		for loop.Sleep(ctx, betweenWrites) {
			// Begun is ended, so that the connection is left as it was found.
			if err := w.writeOnce(context.WithoutCancel(ctx), conn); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *writer) writeOnce(ctx context.Context, conn *sql.Conn) error {
	began := time.Now()
	var waited time.Duration
	for _, statement := range []string{"BEGIN IMMEDIATE", w.statement, "COMMIT"} {
		var since time.Time // somebody else has it
		for {
			_, err := conn.ExecContext(ctx, statement)
			if err == nil {
				break
			}
			if !isBusy(err) {
				return err
			}
			if since.IsZero() {
				since = time.Now()
			}
			loop.Sleep(ctx, betweenTries)
		}
		if !since.IsZero() {
			waited += time.Since(since)
		}
	}
	w.waited, w.took = append(w.waited, waited), append(w.took, time.Since(began))
	return nil
}

func isBusy(err error) bool {
	var answer *sqlite.Error
	return errors.As(err, &answer) && answer.Code()&0xff == sqlite3.SQLITE_BUSY
}

// quantile of durations, in milliseconds.
func quantile(list []time.Duration, q float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return float64(sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]) / float64(time.Millisecond)
}
