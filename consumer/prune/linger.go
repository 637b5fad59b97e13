package prune

import (
	"sync/atomic"
	"time"
)

// linger is how long the rest of a batch may be waited for: half as long as the last batch took.
// So a small installation answers soon, and a large one, where a batch takes long however few
// events it has, is at work on one at a time, and not on one for each worker. A commit waits
// for the disk, and those of an application wait behind it: beside one that writes, batches
// begin a second apart.
type linger struct {
	took    atomic.Int64 // by the last batch
	changed atomic.Int64 // bytes of changed rows that it had to read
	beside  atomic.Bool  // others wrote since the batch before that
}

const (
	minLinger = 5 * time.Millisecond
	maxLinger = time.Second
)

// noteBatch takes into account how long a batch took, and how many bytes of changed rows it had
// to read: none, or as many as the batch before, if nobody wrote between.
func (l *linger) noteBatch(took time.Duration, changed int64) {
	l.took.Store(int64(took))
	before := l.changed.Swap(changed)
	l.beside.Store(changed > 0 && changed != before)
}

func (l *linger) choose() time.Duration {
	if l.beside.Load() {
		return maxLinger
	}
	return min(max(time.Duration(l.took.Load())/2, minLinger), maxLinger)
}
