package sqlite

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"pruned/repo"
)

// tx is a transaction. It takes the write lock only when something is written or
// looked for under lock, since the application waits for it: what is done before,
// such as carrying out tombstones, may take its time, and sees what is committed.
type tx struct {
	db      *DB
	begun   bool
	wrote   bool
	current bool // the index is true for what it sees
	impure  bool // and was read when it had written
	later   later
}

// sqliteTx takes this engine's transaction out of the contract's.
func sqliteTx(t repo.Tx) *tx { return t.(*tx) }

// InTx joins transaction t, or opens one when t is nil.
func (db *DB) InTx(ctx context.Context, t repo.Tx, fn func(repo.Tx) error) error {
	if t != nil {
		return fn(t)
	}
	if err := ctx.Err(); err != nil {
		return translate(err, "begin a transaction")
	}
	return db.tellFixed(ctx, db.inNewTx(ctx, fn))
}

func (db *DB) inNewTx(ctx context.Context, fn func(repo.Tx) error) error {
	opened := &tx{db: db}
	// Also when fn panics. After a commit there is nothing left to roll back.
	defer opened.rollback(ctx)
	if err := fn(opened); err != nil {
		return err
	}
	return opened.commit(ctx)
}

// begin takes the write lock.
func (t *tx) begin(ctx context.Context) error {
	if t.begun {
		return nil
	}
	if err := t.db.turn.take(ctx); err != nil {
		return err
	}
	if err := t.db.lockWrite(ctx); err != nil {
		t.db.turn.giveBack()
		return err
	}
	t.begun = true
	return nil
}

// beginCurrent takes the write lock with an index that is true until the end.
func (t *tx) beginCurrent(ctx context.Context) error {
	if t.current {
		return nil
	}
	if t.begun {
		err := t.db.bringWithin(ctx, atMost)
		if errors.Is(err, errTooSlow) {
			return passing("look for references", errBusy)
		}
		t.current, t.impure = err == nil, t.impure || t.wrote
		return err
	}
	if err := t.db.turn.take(ctx); err != nil {
		return err
	}
	if err := t.db.beginCurrent(ctx); err != nil {
		t.db.turn.giveBack()
		return err
	}
	t.begun, t.current = true, true
	return nil
}

// sees is what queries of the transaction run on.
func (t *tx) sees() querier {
	if t.begun {
		return t.db.writer
	}
	return t.db.pool
}

// write runs one statement that writes.
func (t *tx) write(ctx context.Context, query string, args ...any) (int64, error) {
	if err := t.begin(ctx); err != nil {
		return 0, err
	}
	t.wrote = true
	return t.db.writer.exec(ctx, query, args...)
}

// numbered are parameters as PostgreSQL writes them.
var numbered = regexp.MustCompile(`\$(\d+)`)

// Exec runs one statement.
func (t *tx) Exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	query = numbered.ReplaceAllString(query, "?$1")
	if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(query)), "SELECT") {
		err = each(ctx, t.sees(), query, args, nil, func() error { n++; return nil })
	} else {
		n, err = t.write(ctx, query, args...)
	}
	return n, translate(err, "execute %.40q", query)
}

// commit commits, and waits for readers of a database without a write-ahead log.
func (t *tx) commit(ctx context.Context) error {
	if err := t.later.commit(ctx, t); err != nil {
		return err
	}
	if !t.begun {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	for end := time.Now().Add(t.db.options.CommitTimeout); ; {
		_, err := t.db.writer.exec(ctx, `COMMIT`)
		switch {
		case err == nil:
			t.db.lock.free()
			t.end()
			return nil
		case isBusy(err) && time.Now().Before(end):
			_ = pause(ctx, betweenTries)
		case codeOf(err) == sqlite3.SQLITE_IOERR:
			t.db.index.at = state{}
			t.rollback(ctx)
			return &repo.Error{Kind: repo.Unknown, Doing: "commit", Err: err}
		default:
			t.rollback(ctx)
			return translate(err, "commit")
		}
	}
}

// rollback ignores that the caller gave up.
func (t *tx) rollback(ctx context.Context) {
	t.later.forget()
	if !t.begun {
		return
	}
	t.db.unlock(ctx)
	if t.impure {
		t.db.index.at = state{} // it tells of what never was
	}
	t.end()
}

func (t *tx) end() {
	t.begun, t.current = false, false
	t.db.turn.giveBack()
}
