package sqlite

import (
	"encoding/binary"
	"slices"
)

// uuidSet is a set of UUIDs that keeps 42 bits of each, in about 5 bytes. It may say
// that it has one that it has not, once in a million times where it has millions,
// and never the other way round.
//
// The first bits of a hash say in which bucket the next 32 lie. A bucket is sorted, but
// for its end, to which the newest are added; they are sorted in together, since a
// look into memory that is in no cache costs more than to move many numbers.
type uuidSet struct {
	buckets [bucketCount]bucket
	buffer  []uint32
}

type bucket struct {
	values []uint32
	sorted int // how many of them, the first ones
}

const (
	bucketBits  = 10
	bucketCount = 1 << bucketBits
	minMerge    = 64 // values that are worth to be sorted in
)

// hashUUID spreads the bits of a UUID, whose own may be a time, or a counter.
func hashUUID(uuid *[16]byte) uint64 {
	h := binary.LittleEndian.Uint64(uuid[:8])*0x9e3779b97f4a7c15 ^ binary.LittleEndian.Uint64(uuid[8:])
	h = (h ^ h>>32) * 0xd6e8feb86659fd93
	h = (h ^ h>>32) * 0xd6e8feb86659fd93
	return h ^ h>>32
}

func (s *uuidSet) addHash(h uint64) {
	f := &s.buckets[h>>(64-bucketBits)]
	f.values = append(f.values, uint32(h>>(32-bucketBits)))
	if n := len(f.values) - f.sorted; n >= minMerge && n > f.sorted/8 {
		s.buffer = f.mergeNewest(s.buffer)
	}
}

func (s *uuidSet) contains(h uint64) bool {
	f, value := &s.buckets[h>>(64-bucketBits)], uint32(h>>(32-bucketBits))
	_, found := slices.BinarySearch(f.values[:f.sorted], value)
	return found || slices.Contains(f.values[f.sorted:], value)
}

// mergeNewest sorts the newest in, and drops what is there already.
func (f *bucket) mergeNewest(buffer []uint32) []uint32 {
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

// bitmap says for nearly every UUID that is no file's that it is none, by one look
// into memory that a processor keeps at hand.
type bitmap struct{ bits []uint64 }

const bitsPerUUID = 16

func (b *bitmap) setBit(h uint64) { b.bits[h>>6&b.mask()] |= 1 << (h >> 58) }

func (b *bitmap) testBit(h uint64) bool { return b.bits[h>>6&b.mask()]&(1<<(h>>58)) != 0 }

func (b *bitmap) mask() uint64 { return uint64(len(b.bits)) - 1 }

// fits says whether it is large enough for n UUIDs.
func (b *bitmap) fits(n int) bool { return len(b.bits)*64 >= n*bitsPerUUID }

// newBitmap makes one that is large enough for n UUIDs.
func newBitmap(n int) bitmap {
	words := 1 << 10
	for words*64 < n*bitsPerUUID {
		words *= 2
	}
	return bitmap{bits: make([]uint64, words)}
}
