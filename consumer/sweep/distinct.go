package sweep

import "hash/maphash"

// distinctMost bounds what distinct remembers: half a megabyte, and an estimate
// that is wrong by about half a percent.
const distinctMost = 1 << 16

var distinctSeed = maphash.MakeSeed()

// distinct counts different texts: exactly as long as they are few, beyond that
// by an estimate (Wegman's adaptive sampling), in bounded memory.
type distinct struct {
	hashes map[uint64]struct{} // those that end in level zero bits
	level  int
}

func (d *distinct) add(s string) {
	if d.hashes == nil {
		d.hashes = map[uint64]struct{}{}
	}
	hash := maphash.String(distinctSeed, s)
	if !d.keeps(hash) {
		return
	}
	d.hashes[hash] = struct{}{}
	for len(d.hashes) > distinctMost {
		d.level++
		for hash := range d.hashes {
			if !d.keeps(hash) {
				delete(d.hashes, hash)
			}
		}
	}
}

func (d *distinct) keeps(hash uint64) bool { return hash&(1<<d.level-1) == 0 }

func (d *distinct) count() int64 { return int64(len(d.hashes)) << d.level }
