package sqlite

import (
	"context"
	"errors"
	"sync"
	"time"
)

// readSnapshot is the reader's transaction. While it is open the write-ahead log is not
// begun anew, so that the log goes on telling which pages were written. It ends when
// the index has not been used for a while, or when the log has grown: then the log has
// to be begun anew, and everything is read once more.
type readSnapshot struct {
	db *DB

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool

	open bool // guarded by DB.mutex

	yieldEvery time.Duration // see yieldToWriters
	minDear    int64         // bytes of a log
}

const (
	maxIdleSnapshot = 2 * time.Second
	minDearLog      = 64 << 20
)

// errMoved says that the database changed while it was read in pieces.
var errMoved = errors.New("the database changed meanwhile")

// beginRead has the reader see what is committed now.
func (p *readSnapshot) beginRead(ctx context.Context) error {
	p.endRead(ctx)
	if _, err := p.db.reader.runPrepared(ctx, `BEGIN`); err != nil {
		p.db.reader.discardConn()
		return translate(err, "begin to read")
	}
	p.open = true
	var nothing int
	// A transaction begins to see with its first statement.
	_, err := queryOne(ctx, p.db.reader, `SELECT 1 FROM sqlite_schema LIMIT 1`, nil, &nothing)
	return translate(err, "begin to read")
}

// beginLog writes something to the log before everything is read, where batches are to
// follow, gives the write lock up for that, and takes it again. A snapshot that begins while
// all of the log is in the database reads the database alone, and does not keep the log: the
// next write, which may be our own, begins it anew, and what the pass has read can be
// compared with nothing. With a transaction in it that is not in the database yet, the log
// stays until the snapshot ends. Nothing is believed that was not before: where the log is
// begun anew all the same, or nothing was written here, its salts tell so, and everything is
// read once more.
func (db *DB) beginLog(ctx context.Context) error {
	// Without a change SQLite writes nothing; this one is taken back.
	for _, query := range []string{`UPDATE pruned_state SET sweep = sweep + 1`, `UPDATE pruned_state SET sweep = sweep - 1`, `COMMIT`} {
		if _, err := db.writer.runPrepared(ctx, query); err != nil {
			db.rollbackWriter(ctx) // the pass needs none of this
			return db.lockWrite(ctx)
		}
	}
	db.lock.recordRelease()
	return db.lockWrite(ctx)
}

// keepForReuse keeps the transaction for a while if that is worth it.
func (p *readSnapshot) keepForReuse(now dbState) {
	if !now.logged || p.isDear(now) {
		p.endRead(context.Background())
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
	if !p.stopped {
		p.timer = time.AfterFunc(maxIdleSnapshot, p.endIdle)
	}
}

// isDear says that the log takes more room than it spares work: once it is begun anew the
// whole database is read, which a log of a quarter of it is worth.
func (p *readSnapshot) isDear(now dbState) bool {
	log := p.db.tailer.at
	return log.Bytes() > p.minDear && log.Frames() > now.pages/4
}

// endIdle ends a snapshot that has not been used for a while.
func (p *readSnapshot) endIdle() {
	select {
	case p.db.mutex <- struct{}{}:
		p.endRead(context.Background())
		p.db.checkpointLog(context.Background())
		p.db.mutex.unlock()
	default: // in use
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.stopped {
			p.timer = time.AfterFunc(maxIdleSnapshot, p.endIdle)
		}
	}
}

func (p *readSnapshot) endRead(ctx context.Context) {
	if !p.open {
		return
	}
	p.open = false
	if _, err := p.db.reader.runPrepared(context.WithoutCancel(ctx), `ROLLBACK`); err != nil {
		p.db.reader.discardConn()
	}
}

func (p *readSnapshot) stopTimer() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

const (
	yieldEvery = 250 * time.Millisecond
	yieldFor   = 50 * time.Millisecond
)

// yieldToWriters returns a function that a long pass calls between two pages of a database
// without a write-ahead log, whose writers wait for readers. Now and then it ends the
// snapshot for a moment; errMoved says that a writer changed something meanwhile.
func (p *readSnapshot) yieldToWriters(ctx context.Context) func() error {
	began := time.Now()
	var version, now int64
	return func() error {
		if time.Since(began) < p.yieldEvery {
			return nil
		}
		if version == 0 {
			if _, err := queryOne(ctx, p.db.reader, `PRAGMA data_version`, nil, &version); err != nil {
				return err
			}
		}
		p.endRead(ctx)
		if err := sleepContext(ctx, yieldFor); err != nil {
			return err
		}
		if err := p.beginRead(ctx); err != nil {
			return err
		}
		began = time.Now()
		if _, err := queryOne(ctx, p.db.reader, `PRAGMA data_version`, nil, &now); err != nil {
			return err
		}
		if now != version {
			return errMoved
		}
		return nil
	}
}
