package prune

import (
	"sync/atomic"
	"time"
)

// adaptiveBatchSize finds the size of a batch. Looking for references costs the same for
// one file and for a thousand, and so do the round trips and the pages of a table that
// files share: batches grow while a transaction is so fast that one of twice as many is
// not slow, in which nobody notices its locks, or where looking takes more than a quarter
// of it, and faster and further where that is more than half. They shrink again where it is
// slow and looking takes less than a sixteenth, and those that grew further where it takes
// less than a quarter: the first looks of a process read what later ones need not.
type adaptiveBatchSize struct {
	first   int
	current atomic.Int64
}

// How many times their first size batches may have: where looking is what takes the time, and
// where it is not. More events in hand take more memory then, and save little.
const (
	mostGrowth = 10
	fastGrowth = 4
)

const (
	slowTransaction = 600 * time.Millisecond
	fastTransaction = slowTransaction / 2
)

func (s *adaptiveBatchSize) setFirst(first int) {
	s.first = first
	s.current.Store(int64(first))
}

func (s *adaptiveBatchSize) nextSize() int { return int(s.current.Load()) }

// adaptTo takes into account how long a full batch took, and how long of that it looked
// for references.
func (s *adaptiveBatchSize) adaptTo(looking, took time.Duration) {
	switch {
	case looking*2 > took:
		s.grow(4, mostGrowth)
	case took < fastTransaction, looking*4 > took:
		s.grow(2, fastGrowth)
	case took > slowTransaction && looking*16 < took, s.nextSize() > s.first*fastGrowth:
		s.shrink()
	}
}

// grow makes batches larger, to at most so many times their first size.
func (s *adaptiveBatchSize) grow(times, most int) {
	s.current.Store(int64(max(s.nextSize(), min(s.nextSize()*times, s.first*most))))
}

// shrink makes batches smaller again, also where one took too long.
func (s *adaptiveBatchSize) shrink() { s.current.Store(max(s.current.Load()/2, int64(s.first))) }

// lockHoldLimit finds how many files one transaction may deal with where transactions
// keep everybody else from writing: as many as take no longer than that engine wants.
type lockHoldLimit struct {
	max   time.Duration // zero: no matter
	files atomic.Int64
}

// firstLockHold is how many files the first transaction deals with.
const firstLockHold = 50

func (l *lockHoldLimit) setMax(limit time.Duration) {
	l.max = limit
	l.files.Store(firstLockHold)
}

// limitFiles says how many of n files to deal with at once.
func (l *lockHoldLimit) limitFiles(n int) int {
	if l.max <= 0 {
		return n
	}
	return min(n, int(l.files.Load()))
}

// adaptTo takes into account how long a transaction over n files held everybody up, and how
// long of that its commit waited for the disk: fewer files would not have spared that. So
// theirs is half of the time at least, however slow the disk is.
func (l *lockHoldLimit) adaptTo(n int, held, commit time.Duration) {
	if l.max <= 0 || held <= 0 {
		return
	}
	left, work := max(l.max-commit, l.max/2), max(held-commit, 1)
	fits := int64(float64(n) * float64(left) / float64(work))
	if now := l.files.Load(); fits < now || int64(n) >= now {
		l.files.Store(max(min(fits, 2*now), 1))
	}
}
