package sqlite

// bitmap says for nearly every UUID that is no file's that it is none, by one look
// into memory that a processor keeps at hand.
type bitmap struct{ bits []uint64 }

const bitsPerUUID = 16

func (b *bitmap) add(h uint64) { b.bits[h>>6&b.mask()] |= 1 << (h >> 58) }

func (b *bitmap) has(h uint64) bool { return b.bits[h>>6&b.mask()]&(1<<(h>>58)) != 0 }

func (b *bitmap) mask() uint64 { return uint64(len(b.bits)) - 1 }

// holds says whether it is large enough for n UUIDs.
func (b *bitmap) holds(n int) bool { return len(b.bits)*64 >= n*bitsPerUUID }

// newBitmap makes one that is large enough for n UUIDs.
func newBitmap(n int) bitmap {
	words := 1 << 10
	for words*64 < n*bitsPerUUID {
		words *= 2
	}
	return bitmap{bits: make([]uint64, words)}
}
