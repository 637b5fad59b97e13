package sqlite

import (
	"math"

	"pruned/repo/mention"
)

// index is what mentions which files, as of one state of the database. It is kept
// in memory: it tells nothing of a state that it cannot be compared with, and a
// connection that was opened anew can compare with none.
//
// It errs on one side. What it says of a row that is gone, or whose parent is, is
// found out when it matters; that a row mentions a file it never forgets before
// the row was read again.
type index struct {
	made bool  // everything was read at least once
	at   state // that it is true for; the zero state is none

	catalog *catalog
	uuids   map[[16]byte]uint32 // the newest mention of each file, one more than its number
	words   map[string]uint32   // the same of ids that are no UUID
	longest int                 // of them
	finder  *mention.Finder     // of words
	late    map[string]bool     // tokens that rows may mention which were read before they were known
	others  *seen               // UUIDs that were read and were no file's then
	lately  [1 << 10][16]byte   // some of them: an id stands in a text several times
	maybe   bitmap              // which may be those of files

	mentions []posting
	reading  uint32            // number of the pass that reads
	read     map[place]uint32  // the last pass that read a row, where that is not the first
	owners   []uint32          // by page: the leaf whose row goes on there; zero where none does
	loose    map[uint16]uint32 // the last pass over tables that are read whole each time
	compact  int               // mentions that make it worth while to drop those that are outdated
}

// place is a row.
type place struct {
	table uint16
	row   int64
}

// posting says that a row mentioned a file when a pass read it. Those of one file
// are a list.
type posting struct {
	row    int64
	next   uint32
	pass   uint32
	table  uint16
	column uint16
}

// schemaTable is the table of mentions in the schema itself, which are always true.
const schemaTable = math.MaxUint16

// none is the UUID of an empty place.
var none [16]byte

// noRow is the row of a table whose rows have no number.
const noRow = math.MinInt64

func newIndex(c *catalog) *index {
	return &index{catalog: c, uuids: map[[16]byte]uint32{}, words: map[string]uint32{}, late: map[string]bool{},
		others: &seen{}, maybe: newBitmap(0),
		finder: mention.NewFinder(nil), reading: 1, read: map[place]uint32{}, loose: map[uint16]uint32{}}
}

// know adds ids to those that passes look for. Rows that were read already may
// mention one that is no UUID, and one that was among the others.
func (x *index) know(ids []string) {
	x.widen(len(ids))
	x.lately = [len(x.lately)][16]byte{}
	more := false
	for _, id := range ids {
		token := mention.Token(id)
		if x.knows(token) || !mention.Searchable(token) {
			continue
		}
		if uuid, ok := parseUUID(token); ok {
			x.uuids[uuid] = 0
			x.maybe.add(hash(&uuid))
			if x.others != nil && x.others.has(hash(&uuid)) {
				x.late[token] = true
			}
			continue
		}
		x.words[token], more = 0, true
		x.longest = max(x.longest, len(token))
		if x.made {
			x.late[token] = true
		}
	}
	if !more {
		return
	}
	words := make([]string, 0, len(x.words))
	for word := range x.words {
		words = append(words, word)
	}
	x.finder = mention.NewFinder(words)
}

// widen makes room for more UUIDs of files in the bitmap.
func (x *index) widen(more int) {
	n := len(x.uuids) + more
	if x.maybe.holds(n) {
		return
	}
	x.maybe = newBitmap(n)
	for uuid := range x.uuids {
		x.maybe.add(hash(&uuid))
	}
}

func (x *index) knows(token string) bool {
	if uuid, ok := parseUUID(token); ok {
		_, known := x.uuids[uuid]
		return known
	}
	_, known := x.words[token]
	return known
}

// sure says whether the index tells everything that mentions an id.
func (x *index) sure(id string) bool {
	token := mention.Token(id)
	return mention.Searchable(token) && x.knows(token) && !x.late[token]
}

// note notes what a text of a row mentions.
func (x *index) note(at place, column int, text []byte) {
	mention.Tokens(text, func(token []byte) {
		uuid, ok := parseUUID(token)
		if !ok {
			return
		}
		h := hash(&uuid)
		lately := &x.lately[h%uint64(len(x.lately))]
		if *lately == uuid && uuid != none {
			return
		}
		var first uint32
		known := x.maybe.has(h)
		if known {
			first, known = x.uuids[uuid]
		}
		if !known {
			*lately = uuid
			if x.others != nil {
				x.others.add(h)
			}
			return
		}
		if added, is := x.add(first, at, column); is {
			x.uuids[uuid] = added
		}
	})
	if len(x.words) == 0 {
		return
	}
	x.finder.Find(text, func(word string) {
		if added, is := x.add(x.words[word], at, column); is {
			x.words[word] = added
		}
	})
}

// add adds a mention before the first of its list, once a row and pass.
func (x *index) add(first uint32, at place, column int) (uint32, bool) {
	if first != 0 {
		if m := &x.mentions[first-1]; m.table == at.table && m.row == at.row && m.pass == x.reading {
			return first, false
		}
	}
	x.mentions = append(x.mentions, posting{at.row, first, x.reading, at.table, uint16(min(column, math.MaxUint16))})
	return uint32(len(x.mentions)), true
}

// overlap is how much of a text has to be read again with what follows, so that
// whatever is looked for stands whole in one of the two, in characters of two bytes
// as well. A piece begins where a UUID of 16 bytes does, if they lie side by side.
func (x *index) overlap() int { return max(1<<10, (2*x.longest+15)&^15) }

// reads says that a row is read again: what it mentioned before no longer counts.
func (x *index) reads(at place) {
	if x.reading > 1 {
		x.read[at] = x.reading
	}
}

// current says whether a mention is that of the last pass that read its row.
func (x *index) current(m *posting) bool {
	if m.row == noRow {
		return m.pass == x.loose[m.table]
	}
	return m.pass >= x.read[place{m.table, m.row}]
}

// of calls yield with what mentions a file, newest first, until that says no.
func (x *index) of(id string, yield func(*posting) bool) {
	token := mention.Token(id)
	first := x.words[token]
	if uuid, ok := parseUUID(token); ok {
		first = x.uuids[uuid]
	}
	for first != 0 {
		m := &x.mentions[first-1]
		if x.current(m) && !yield(m) {
			return
		}
		first = m.next
	}
}

// tidy drops what no longer counts, once that is as much as the rest.
func (x *index) tidy() {
	const few = 100_000
	if len(x.mentions) < max(x.compact, few) {
		return
	}
	old := x.mentions
	x.mentions = nil
	keep := func(first uint32) (newest uint32) {
		for ; first != 0; first = old[first-1].next {
			if m := old[first-1]; x.current(&m) {
				if m.row != noRow {
					m.pass = 1
				}
				m.next = newest
				x.mentions = append(x.mentions, m)
				newest = uint32(len(x.mentions))
			}
		}
		return newest
	}
	for uuid, first := range x.uuids {
		x.uuids[uuid] = keep(first)
	}
	for word, first := range x.words {
		x.words[word] = keep(first)
	}
	x.read = map[place]uint32{}
	x.compact = 2 * len(x.mentions)
}

// own says that a page belongs to a row of a leaf.
func (x *index) own(page, leaf uint32) {
	if n := int(page) + 1 - len(x.owners); n > 0 {
		x.owners = append(x.owners, make([]uint32, n)...)
	}
	x.owners[page] = leaf
}

// owner is the leaf whose row goes on in a page; zero where none does.
func (x *index) owner(page uint32) uint32 {
	if int(page) < len(x.owners) {
		return x.owners[page]
	}
	return 0
}

// parseUUID reads a token in the form that mention.Tokens yields.
func parseUUID[T string | []byte](token T) (uuid [16]byte, ok bool) {
	if len(token) != 36 || token[8] != '-' || token[13] != '-' || token[18] != '-' || token[23] != '-' {
		return uuid, false
	}
	bad := byte(0)
	for i, at := range [16]byte{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		high, low := nibbles[token[at]], nibbles[token[at+1]]
		uuid[i] = high<<4 | low
		bad |= high | low
	}
	return uuid, bad < 16
}

// nibbles are the values of hexadecimal digits in lower case; more than 15 of what
// is none.
var nibbles = func() (values [256]byte) {
	for i := range values {
		values[i] = 0xff
	}
	for i, c := range []byte("0123456789abcdef") {
		values[c] = byte(i)
	}
	return values
}()
