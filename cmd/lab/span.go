package main

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// span is a sweep, as its daemon's log tells it.
type span struct{ began, ended time.Time }

// checkApart returns an error where two sweeps ran at once, or where there was none at all.
func checkApart(spans []span) error {
	if len(spans) == 0 {
		return errors.New("no daemon swept")
	}
	spans = slices.SortedFunc(slices.Values(spans), func(a, b span) int { return a.began.Compare(b.began) })
	for i, b := range spans {
		for _, a := range spans[:i] {
			if a.isBeside(b) {
				return fmt.Errorf("two daemons swept at once: %s for %s, %s for %s",
					a.began.Format(time.TimeOnly), a.ended.Sub(a.began), b.began.Format(time.TimeOnly), b.ended.Sub(b.began))
			}
		}
	}
	return nil
}

// isBeside holds where the two have more than half of the shorter one in common; b began
// later. What the log calls a sweep includes the wait for the lease and what is settled after
// it was given up: on a slow machine one begins in that sense before the other has ended.
// Without a lease they would run beside each other.
func (a span) isBeside(b span) bool {
	ended := a.ended
	if b.ended.Before(ended) {
		ended = b.ended
	}
	return 2*ended.Sub(b.began) > min(a.ended.Sub(a.began), b.ended.Sub(b.began))
}
