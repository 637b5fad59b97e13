package sqlite

import (
	"encoding/binary"
	"slices"
)

// seen is a set of UUIDs that keeps 42 bits of each, in about 5 bytes. It may say
// that it has one that it has not, once in a million times where it has millions,
// and never the other way round.
//
// The first bits of a hash say in which shelf the next 32 lie. A shelf is sorted, but
// for its end, to which the newest are added; they are sorted in together, since a
// look into memory that is in no cache costs more than to move many numbers.
type seen struct {
	shelves [shelves]shelf
	buffer  []uint32
}

type shelf struct {
	values []uint32
	sorted int // how many of them, the first ones
}

const (
	shelfBits = 10
	shelves   = 1 << shelfBits
	fewest    = 64 // values that are worth to be sorted in
)

// hash spreads the bits of a UUID, whose own may be a time, or a counter.
func hash(uuid *[16]byte) uint64 {
	h := binary.LittleEndian.Uint64(uuid[:8])*0x9e3779b97f4a7c15 ^ binary.LittleEndian.Uint64(uuid[8:])
	h = (h ^ h>>32) * 0xd6e8feb86659fd93
	h = (h ^ h>>32) * 0xd6e8feb86659fd93
	return h ^ h>>32
}

func (s *seen) add(h uint64) {
	f := &s.shelves[h>>(64-shelfBits)]
	f.values = append(f.values, uint32(h>>(32-shelfBits)))
	if n := len(f.values) - f.sorted; n >= fewest && n > f.sorted/8 {
		s.buffer = f.sort(s.buffer)
	}
}

func (s *seen) has(h uint64) bool {
	f, value := &s.shelves[h>>(64-shelfBits)], uint32(h>>(32-shelfBits))
	_, found := slices.BinarySearch(f.values[:f.sorted], value)
	return found || slices.Contains(f.values[f.sorted:], value)
}

// sort sorts the newest in, and drops what is there already.
func (f *shelf) sort(buffer []uint32) []uint32 {
	old := f.values[:f.sorted]
	slices.Sort(f.values[f.sorted:])
	fresh := slices.Compact(append(buffer[:0], f.values[f.sorted:]...))
	at := 0
	fresh = slices.DeleteFunc(fresh, func(value uint32) bool {
		for at < len(old) && old[at] < value {
			at++
		}
		return at < len(old) && old[at] == value
	})
	f.values = f.values[:len(old)+len(fresh)]
	i, j := len(old)-1, len(fresh)-1
	for to := len(f.values) - 1; j >= 0; to-- { // from the end, so that nothing is overwritten
		if i >= 0 && old[i] > fresh[j] {
			f.values[to], i = old[i], i-1
		} else {
			f.values[to], j = fresh[j], j-1
		}
	}
	f.sorted = len(f.values)
	return fresh
}
