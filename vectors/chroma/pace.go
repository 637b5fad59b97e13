package chroma

import (
	"context"
	"fmt"
	"time"
)

// A transaction of ours is to take that long: its rows grow and shrink.
const (
	holdTarget        = 50 * time.Millisecond
	aloneTarget       = 100 * time.Millisecond // as long as nobody else writes
	fewRows, mostRows = 50, 1000
)

const (
	// restRatio is how much longer we leave the lock to others than we had it.
	restRatio = 2
	// aloneRest is how long while nobody else writes. Who comes then, and finds the lock taken,
	// tries again by SQLite's own pauses: 25 ms at most until it has waited for aloneTarget,
	// and half of what it has waited at most after that. So it finds the lock free once.
	aloneRest = 25 * time.Millisecond
	// quiet is how long nobody else must have written for that.
	quiet = 5 * time.Second
)

// pace sizes transactions by time, and the pauses between them.
type pace struct {
	rows    int
	commit  time.Duration // that the last one took
	version int64         // of the file's data, as this connection last saw it
	looks   int           // how often it did; the first one tells nothing
	beside  time.Time     // when somebody else was last seen to have written
}

func (p *pace) isAlone() bool { return p.looks > 1 && time.Since(p.beside) > quiet }

// adjustRows sizes the next transaction by what the last one took, of which fewer rows would
// not have spared the commit: it waits for the disk several times. While nobody else writes
// the rows may take half of aloneTarget, however slow the disk is.
func (p *pace) adjustRows(took time.Duration) {
	left := holdTarget - p.commit
	if p.isAlone() {
		left = max(aloneTarget-p.commit, aloneTarget/2)
	}
	work := max(took-p.commit, time.Millisecond)
	p.rows = min(max(int(float64(p.rows)*float64(left)/float64(work)), fewRows), mostRows, 2*p.rows)
}

// restAfter is how long the lock is left alone after a transaction.
func (p *pace) restAfter(took time.Duration) time.Duration {
	switch {
	case !p.isAlone():
		return restRatio * took
	case took <= aloneTarget:
		return aloneRest
	default:
		return took / 2
	}
}

// versionSQL changes on a connection with what others commit, and not with what it commits
// itself.
const versionSQL = "PRAGMA data_version"

// noteOthers looks whether somebody else has written since it last did.
func (s *session) noteOthers(ctx context.Context) error {
	version, err := queryColumn[int64](ctx, s, versionSQL)
	if err != nil {
		return fmt.Errorf("look whether somebody else writes to %s: %w", databaseFile, err)
	}
	p := &s.pace
	if p.looks > 0 && p.version != version[0] {
		p.beside = time.Now()
	}
	p.version, p.looks = version[0], p.looks+1
	return nil
}

// inTxAndRest is inTx, and then a pause in which the application gets its turn: whether it
// took it is seen at the end of that.
func (s *session) inTxAndRest(ctx context.Context, fn func(*transaction) error) (time.Duration, error) {
	took, err := s.inTx(ctx, fn)
	if err != nil {
		return 0, err
	}
	select {
	case <-time.After(s.pace.restAfter(took)):
		return took, s.noteOthers(ctx)
	case <-ctx.Done():
		return took, ctx.Err()
	}
}
