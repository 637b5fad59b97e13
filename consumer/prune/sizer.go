package prune

import (
	"sync/atomic"
	"time"
)

// sizer finds the size of a batch. A look costs the same for one file and for a
// thousand, and so do the round trips and the pages of a table that files share:
// batches grow while a transaction is brisk, so that nobody notices its locks, or
// where looks take more than a quarter of it, to at most ten times what they
// started with. They shrink again where it is slow and looks take less than a
// sixteenth.
type sizer struct {
	start   int
	current atomic.Int64
}

const (
	brisk = 150 * time.Millisecond
	slow  = 4 * brisk
)

func (s *sizer) init(size int) {
	s.start = size
	s.current.Store(int64(size))
}

func (s *sizer) get() int { return int(s.current.Load()) }

func (s *sizer) learn(looking, took time.Duration) {
	switch {
	case took < brisk, looking*4 > took:
		s.grow()
	case took > slow && looking*16 < took:
		s.shrink()
	}
}

func (s *sizer) grow() { s.current.Store(min(s.current.Load()*2, int64(s.start)*10)) }

// shrink makes batches smaller again, also where one took too long.
func (s *sizer) shrink() { s.current.Store(max(s.current.Load()/2, int64(s.start))) }
