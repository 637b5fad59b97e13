package reap

import "pruned/repo"

// Removed is what tombstones freed, as far as it was known without looking for that.
type Removed struct {
	Chunks  int64 // of vectors
	Objects int64 // of the store of bytes
	Bytes   int64 // of these objects
}

func (r *Removed) add(o Removed) {
	r.Chunks += o.Chunks
	r.Objects += o.Objects
	r.Bytes += o.Bytes
}

// removal is what became of a set of tombstones, and what that freed.
type removal struct {
	repo.Settlement
	removed Removed
}

func (r *removal) addRemoval(o removal) {
	r.Add(o.Settlement)
	r.removed.add(o.removed)
}

// reportRemoved tells whoever counts.
func (x *Reaper) reportRemoved(r Removed) {
	if x.Observe != nil && r != (Removed{}) {
		x.Observe(r)
	}
}
