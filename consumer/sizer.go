package consumer

import (
	"sync/atomic"
	"time"
)

// sizer finds the size of a batch. A look costs the same for one file and for a
// thousand: where it takes more than a quarter of the transaction batches grow,
// to at most ten times what they started with, and shrink again where it takes
// less than a sixteenth.
type sizer struct {
	start   int
	current atomic.Int64
}

func (s *sizer) init(size int) {
	s.start = size
	s.current.Store(int64(size))
}

func (s *sizer) get() int { return int(s.current.Load()) }

func (s *sizer) learn(looking, took time.Duration) {
	size := s.current.Load()
	switch {
	case looking*4 > took:
		size = min(size*2, int64(s.start)*10)
	case looking*16 < took:
		s.shrink()
		return
	}
	s.current.Store(size)
}

// shrink makes batches smaller again, also where one took too long.
func (s *sizer) shrink() { s.current.Store(max(s.current.Load()/2, int64(s.start))) }
