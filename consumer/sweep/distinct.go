package sweep

import "hash/maphash"

// maxDistinct bounds what distinct remembers: half a megabyte, and an estimate
// that is wrong by about half a percent.
const maxDistinct = 1 << 16

var distinctSeed = maphash.MakeSeed()

// distinct counts different texts: exactly as long as they are few, beyond that
// by an estimate (Wegman's adaptive sampling), in bounded memory.
type distinct struct {
	hashes map[uint64]struct{} // those that end in level zero bits
	level  int
}

func (d *distinct) insert(s string) {
	if d.hashes == nil {
		d.hashes = map[uint64]struct{}{}
	}
	hash := maphash.String(distinctSeed, s)
	if !d.isSampled(hash) {
		return
	}
	d.hashes[hash] = struct{}{}
	for len(d.hashes) > maxDistinct {
		d.level++
		for hash := range d.hashes {
			if !d.isSampled(hash) {
				delete(d.hashes, hash)
			}
		}
	}
}

func (d *distinct) isSampled(hash uint64) bool { return hash&(1<<d.level-1) == 0 }

func (d *distinct) estimate() int64 { return int64(len(d.hashes)) << d.level }
