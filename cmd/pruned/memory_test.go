package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTheLimitFollowsWhatIsInUse: up, so that the collector is not at work all the
// time, and down again.
func TestTheLimitFollowsWhatIsInUse(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer func() {
		minLimit.Store(before)
		debug.SetMemoryLimit(before)
	}()
	const least = 1 << 20
	limitMemory(least)
	followMemory()
	limited := func(holds func(limit int64) bool) func() bool {
		return func() bool {
			runtime.GC()
			return holds(debug.SetMemoryLimit(-1))
		}
	}
	held := [][]byte{make([]byte, 500<<20)}
	require.Eventually(t, limited(func(limit int64) bool { return limit > 550<<20 }), time.Minute, time.Millisecond)
	held[0] = nil
	require.Eventually(t, limited(func(limit int64) bool { return limit < 400<<20 }), time.Minute, time.Millisecond)
	runtime.KeepAlive(held)
}
