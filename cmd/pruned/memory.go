package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// The heap grows to the limit and is collected only then, so that memory is the
// same for few events and for many: a hundred thousand that wait in the embedded
// queue fit. GOMEMLIMIT and GOGC override both.
const (
	memoryLimit = 60 << 20
	gcPercent   = 400
)

// minLimit is the limit while what is in use leaves room below it.
var minLimit atomic.Int64

// boundMemory sets the limits where the operator set none.
func boundMemory() {
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		limitMemory(memoryLimit)
		followMemory()
	}
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
}

// lowerLimit lowers the limit by what an engine keeps outside the heap, once.
func lowerLimit(size int64) {
	if minLimit.Load() == memoryLimit {
		limitMemory(memoryLimit - size)
	}
}

func limitMemory(least int64) {
	minLimit.Store(least)
	debug.SetMemoryLimit(max(least, limitFor(inUse())))
}

// limitFor is the limit that leaves room where so many bytes are in use: what is needed
// for long, as the reference index of SQLite, would otherwise be collected again and
// again, in vain. About ten megabytes beside the heap count too.
func limitFor(inUse uint64) int64 { return int64(inUse+inUse/8) + 20<<20 }

// inUse are the bytes of the heap that the last collection found in use.
func inUse() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// followMemory has the limit follow what is in use, after each collection: a
// collection is when what nobody refers to is cleaned up.
func followMemory() {
	type nothing struct{ _ [2]*byte }
	runtime.AddCleanup(new(nothing), func(struct{}) {
		limitMemory(minLimit.Load())
		followMemory()
	}, struct{}{})
}
