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
	db         *DB
	locked     bool
	wrote      bool
	wroteRows  bool // of the application's
	indexed    bool // the index is true for what it sees
	indexDirty bool // and was read when it had written
	deferred   deferredWrites
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
	return db.tellFixedMessage(ctx, db.runNewTx(ctx, fn))
}

func (db *DB) runNewTx(ctx context.Context, fn func(repo.Tx) error) error {
	opened := &tx{db: db}
	// Also when fn panics. After a commit there is nothing left to roll back.
	defer opened.rollbackUncommitted(ctx)
	if err := fn(opened); err != nil {
		return err
	}
	return opened.commitAll(ctx)
}

// lockWrite takes the write lock.
func (t *tx) lockWrite(ctx context.Context) error {
	if t.locked {
		return nil
	}
	if err := t.db.mutex.lock(ctx); err != nil {
		return err
	}
	if err := t.db.lockWrite(ctx); err != nil {
		t.db.mutex.unlock()
		return err
	}
	t.locked = true
	return nil
}

// lockIndexed takes the write lock with an index that is true until the end.
func (t *tx) lockIndexed(ctx context.Context) error {
	if t.indexed {
		return nil
	}
	if t.locked {
		if t.wroteRows {
			t.db.index.at = dbState{} // no log tells yet what is written here
		}
		t.indexDirty = t.indexDirty || t.wrote // also where the pass is ended early
		err := t.db.updateIndexWithin(ctx, maxForcedUpdate)
		if errors.Is(err, errTooSlow) {
			return passingError("look for references", errBusy)
		}
		t.indexed = err == nil
		return err
	}
	if err := t.db.mutex.lock(ctx); err != nil {
		return err
	}
	if err := t.db.lockWriteIndexed(ctx); err != nil {
		t.db.mutex.unlock()
		return err
	}
	t.locked, t.indexed = true, true
	return nil
}

// view is what queries of the transaction run on.
func (t *tx) view() querier {
	if t.locked {
		return t.db.writer
	}
	return t.db.pool
}

func (t *tx) execWrite(ctx context.Context, query string, args ...any) (int64, error) {
	if err := t.lockWrite(ctx); err != nil {
		return 0, err
	}
	t.wrote = true
	return t.db.writer.runPrepared(ctx, query, args...)
}

// willWriteRows takes the write lock for rows of the application's.
func (t *tx) willWriteRows(ctx context.Context) error {
	if err := t.lockWrite(ctx); err != nil {
		return err
	}
	t.wrote, t.wroteRows = true, true
	return nil
}

// numbered are parameters as PostgreSQL writes them.
var numbered = regexp.MustCompile(`\$(\d+)`)

// Exec runs one statement.
func (t *tx) Exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	query = numbered.ReplaceAllString(query, "?$1")
	if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(query)), "SELECT") {
		err = queryEach(ctx, t.view(), query, args, nil, func() error { n++; return nil })
	} else {
		if err := t.willWriteRows(ctx); err != nil {
			return 0, err
		}
		n, err = t.execWrite(ctx, query, args...)
	}
	return n, translate(err, "execute %.40q", query)
}

// commitAll commits, and waits for readers of a database without a write-ahead log.
func (t *tx) commitAll(ctx context.Context) error {
	if err := t.deferred.flushTo(ctx, t); err != nil {
		return err
	}
	if !t.locked {
		return nil
	}
	if err := t.forgetTriggered(ctx); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	for end := time.Now().Add(t.db.options.CommitTimeout); ; {
		_, err := t.db.writer.runPrepared(ctx, `COMMIT`)
		switch {
		case err == nil:
			t.db.lock.recordRelease()
			t.db.lock.wrote = t.db.lock.wrote || t.wrote
			t.releaseLock()
			return nil
		case isBusy(err) && time.Now().Before(end):
			_ = sleepContext(ctx, lockRetryInterval)
		case codeOf(err) == sqlite3.SQLITE_IOERR:
			t.db.index.at = dbState{}
			t.rollbackUncommitted(ctx)
			return &repo.Error{Kind: repo.Unknown, Doing: "commit", Err: err}
		default:
			t.rollbackUncommitted(ctx)
			return translate(err, "commit")
		}
	}
}

// forgetTriggered has the next look read everything where a trigger may have written here
// what only a log would tell.
func (t *tx) forgetTriggered(ctx context.Context) error {
	if !t.wroteRows || t.db.index.at.logged {
		return nil
	}
	var triggers int
	if _, err := queryOne(ctx, t.db.writer, `SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'`, nil, &triggers); err != nil {
		return translate(err, "look for triggers")
	}
	if triggers > 0 {
		t.db.index.at = dbState{}
	}
	return nil
}

// rollbackUncommitted ignores that the caller gave up.
func (t *tx) rollbackUncommitted(ctx context.Context) {
	t.deferred.dropAll()
	if !t.locked {
		return
	}
	t.db.rollbackWriter(ctx)
	if t.indexDirty {
		t.db.index.at = dbState{} // it tells of what never was
	}
	t.releaseLock()
}

func (t *tx) releaseLock() {
	t.locked, t.indexed = false, false
	t.db.mutex.unlock()
}
