package sqlite

import (
	"context"
	"errors"
	"sync"
	"time"
)

// pin is the reader's transaction. While it is open the write-ahead log is not
// begun anew, so that the log goes on telling which pages were written. It is let
// go when nobody needs the index for a while, or the log has grown: somebody has to
// be able to begin it anew, and reading everything once more is the price.
type pin struct {
	db *DB

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool

	open bool // of whoever has the turn

	breathIn time.Duration // see breathe
}

const (
	pinIdle    = 2 * time.Second
	pinMostLog = 64 << 20
)

// errMoved says that the database changed while it was read in pieces.
var errMoved = errors.New("the database changed meanwhile")

// set has the reader see what is committed now.
func (p *pin) set(ctx context.Context) error {
	p.release(ctx)
	if _, err := p.db.reader.exec(ctx, `BEGIN`); err != nil {
		p.db.reader.discard()
		return translate(err, "begin to read")
	}
	p.open = true
	var nothing int
	// A transaction begins to see with its first statement.
	_, err := one(ctx, p.db.reader, `SELECT 1 FROM sqlite_schema LIMIT 1`, nil, &nothing)
	return translate(err, "begin to read")
}

// keep keeps the transaction for a while if that is worth it.
func (p *pin) keep(now state) {
	frames := p.db.follower.at.Frames()
	if !now.logged || frames*4096 > pinMostLog {
		p.release(context.Background())
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
	if !p.stopped {
		p.timer = time.AfterFunc(pinIdle, p.idle)
	}
}

func (p *pin) idle() {
	select {
	case p.db.turn <- struct{}{}:
		p.release(context.Background())
		p.db.checkpoint(context.Background())
		p.db.turn.giveBack()
	default: // in use
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.stopped {
			p.timer = time.AfterFunc(pinIdle, p.idle)
		}
	}
}

func (p *pin) release(ctx context.Context) {
	if !p.open {
		return
	}
	p.open = false
	if _, err := p.db.reader.exec(context.WithoutCancel(ctx), `ROLLBACK`); err != nil {
		p.db.reader.discard()
	}
}

func (p *pin) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

const (
	breathIn  = 250 * time.Millisecond
	breathOut = 50 * time.Millisecond
)

// breathe is called between two pages of a long pass over a database without a
// write-ahead log, whose writers wait for readers. Now and then it lets them go
// first, and if they did change something, all was in vain.
func (p *pin) breathe(ctx context.Context) func() error {
	began := time.Now()
	var version, now int64
	return func() error {
		if time.Since(began) < p.breathIn {
			return nil
		}
		if version == 0 {
			if _, err := one(ctx, p.db.reader, `PRAGMA data_version`, nil, &version); err != nil {
				return err
			}
		}
		p.release(ctx)
		if err := pause(ctx, breathOut); err != nil {
			return err
		}
		if err := p.set(ctx); err != nil {
			return err
		}
		began = time.Now()
		if _, err := one(ctx, p.db.reader, `PRAGMA data_version`, nil, &now); err != nil {
			return err
		}
		if now != version {
			return errMoved
		}
		return nil
	}
}
