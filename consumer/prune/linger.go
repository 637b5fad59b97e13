package prune

import (
	"sync/atomic"
	"time"
)

// linger is how long the rest of a batch may be waited for: half as long as the last batch took.
// So a small installation answers soon, and a large one, where a batch takes long however few
// events it has, is at work on one at a time, and not on one for each worker. A batch wants the
// processors and the disk that an application waits for: beside one that writes, batches rest
// for besideRests times as long as they take.
type linger struct {
	took    atomic.Int64 // by the last batch
	changed atomic.Int64 // bytes of changed rows that it had to read
	beside  atomic.Bool  // others wrote since the batch before that
}

const (
	minLinger = 5 * time.Millisecond
	maxLinger = 3 * time.Second

	besideRests = 60
)

// noteBatch takes into account how long a batch took, and how many bytes of changed rows it had
// to read: none, or as many as the batch before, if nobody wrote between.
func (l *linger) noteBatch(took time.Duration, changed int64) {
	l.took.Store(int64(took))
	before := l.changed.Swap(changed)
	l.beside.Store(changed > 0 && changed != before)
}

func (l *linger) choose() time.Duration {
	rest := time.Duration(l.took.Load()) / 2
	if l.beside.Load() {
		rest = time.Duration(l.took.Load()) * besideRests
	}
	return min(max(rest, minLinger), maxLinger)
}
