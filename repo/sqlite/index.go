package sqlite

import (
	"maps"
	"math"
	"slices"

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
	complete bool    // everything was read at least once
	at       dbState // that it is true for; the zero state is none

	catalog     *catalog
	uuids       map[[16]byte]uint32 // the newest mention of each file, one more than its number
	words       map[string]uint32   // the same of ids that are no UUID
	longestWord int                 // of them
	finder      *mention.Finder     // of words
	late        map[string]bool     // tokens that rows may mention which were read before they were known
	otherUUIDs  *uuidSet            // UUIDs that were read and were no file's then
	recentUUIDs [1 << 10][16]byte   // some of them: an id stands in a text several times
	fileBits    bitmap              // which may be those of files

	postings       []posting
	pass           uint32            // number of the pass that reads
	rowPasses      map[rowRef]uint32 // the last pass that read a row, where that is not the first
	overflowLeaves []uint32          // by page: the leaf whose row goes on there; zero where none does
	trees          map[uint32]tree   // of tables, by their roots
	tablePasses    map[uint16]uint32 // the last pass over tables that are read whole each time
	compactAt      int               // mentions that make it worth while to drop those that are outdated
}

// rowRef is a row.
type rowRef struct {
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

// zeroUUID is the UUID of an empty place.
var zeroUUID [16]byte

// noRow is the row of a table whose rows have no number.
const noRow = math.MinInt64

func newIndex(c *catalog) *index {
	return &index{catalog: c, uuids: map[[16]byte]uint32{}, words: map[string]uint32{}, late: map[string]bool{},
		otherUUIDs: &uuidSet{}, fileBits: newBitmap(0),
		finder: mention.NewFinder(nil), pass: 1, rowPasses: map[rowRef]uint32{}, trees: map[uint32]tree{}, tablePasses: map[uint16]uint32{}}
}

// addFiles adds ids, and names, to those that passes look for. Rows that were read already may
// mention one that is no UUID, and one that was among the others.
func (x *index) addFiles(ids []string) {
	x.growBitmap(len(ids))
	x.recentUUIDs = [len(x.recentUUIDs)][16]byte{}
	more := false
	for _, id := range ids {
		token := mention.Token(id)
		if x.isKnown(token) || !mention.Searchable(token) {
			continue
		}
		if uuid, ok := mention.ParseUUID(token); ok {
			x.uuids[uuid] = 0
			x.fileBits.setBit(hashUUID(&uuid))
			if x.otherUUIDs != nil && x.otherUUIDs.contains(hashUUID(&uuid)) {
				x.late[token] = true
			}
			continue
		}
		x.words[token], more = 0, true
		x.longestWord = max(x.longestWord, len(token))
		if x.complete {
			x.late[token] = true
		}
	}
	if !more {
		return
	}
	x.finder = mention.NewFinder(slices.Collect(maps.Keys(x.words)))
}

// growBitmap makes room for more UUIDs of files in the bitmap.
func (x *index) growBitmap(more int) {
	n := len(x.uuids) + more
	if x.fileBits.fits(n) {
		return
	}
	x.fileBits = newBitmap(n)
	for uuid := range x.uuids {
		x.fileBits.setBit(hashUUID(&uuid))
	}
}

func (x *index) isKnown(token string) bool {
	if uuid, ok := mention.ParseUUID(token); ok {
		_, known := x.uuids[uuid]
		return known
	}
	_, known := x.words[token]
	return known
}

// isIndexed says whether the index tells everything that mentions an id.
func (x *index) isIndexed(id string) bool {
	token := mention.Token(id)
	return mention.Searchable(token) && x.isKnown(token) && !x.late[token]
}

// indexText adds the mentions in a text of a row.
func (x *index) indexText(at rowRef, column int, text []byte) {
	mention.Tokens(text, func(token []byte) {
		uuid, ok := mention.ParseUUID(token)
		if !ok {
			return
		}
		h := hashUUID(&uuid)
		lately := &x.recentUUIDs[h%uint64(len(x.recentUUIDs))]
		if *lately == uuid && uuid != zeroUUID {
			return
		}
		var first uint32
		known := x.fileBits.testBit(h)
		if known {
			first, known = x.uuids[uuid]
		}
		if !known {
			*lately = uuid
			if x.otherUUIDs != nil {
				x.otherUUIDs.addHash(h)
			}
			return
		}
		if added, is := x.addPosting(first, at, column); is {
			x.uuids[uuid] = added
		}
	})
	if len(x.words) == 0 {
		return
	}
	x.finder.Find(text, func(word string) {
		if added, is := x.addPosting(x.words[word], at, column); is {
			x.words[word] = added
		}
	})
}

// addPosting adds a mention before the first of its list, once a row and pass.
func (x *index) addPosting(first uint32, at rowRef, column int) (uint32, bool) {
	if first != 0 {
		if m := &x.postings[first-1]; m.table == at.table && m.row == at.row && m.pass == x.pass {
			return first, false
		}
	}
	x.postings = append(x.postings, posting{at.row, first, x.pass, at.table, uint16(min(column, math.MaxUint16))})
	return uint32(len(x.postings)), true
}

// pieceOverlap is how much of a text has to be read again with what follows, so that
// whatever is looked for stands whole in one of the two, in characters of two bytes
// as well. A piece begins where a UUID of 16 bytes does, if they lie side by side.
func (x *index) pieceOverlap() int { return max(1<<10, (2*x.longestWord+15)&^15) }

// supersedeRow says that a row is read again: what it mentioned before no longer counts.
func (x *index) supersedeRow(at rowRef) {
	if x.pass > 1 {
		x.rowPasses[at] = x.pass
	}
}

// isCurrent says whether a mention is that of the last pass that read its row.
func (x *index) isCurrent(m *posting) bool {
	if pass, rowless := x.tablePasses[m.table]; rowless {
		return m.pass == pass
	}
	return m.pass >= x.rowPasses[rowRef{m.table, m.row}]
}

// eachPosting calls yield with what mentions a file, newest first, until that says no.
func (x *index) eachPosting(id string, yield func(*posting) bool) {
	token := mention.Token(id)
	first := x.words[token]
	if uuid, ok := mention.ParseUUID(token); ok {
		first = x.uuids[uuid]
	}
	for first != 0 {
		m := &x.postings[first-1]
		if x.isCurrent(m) && !yield(m) {
			return
		}
		first = m.next
	}
}

// compactPostings drops what no longer counts, once that is as much as the rest.
func (x *index) compactPostings() {
	const few = 100_000
	if len(x.postings) < max(x.compactAt, few) {
		return
	}
	old := x.postings
	x.postings = nil
	keep := func(first uint32) (newest uint32) {
		for ; first != 0; first = old[first-1].next {
			if m := old[first-1]; x.isCurrent(&m) {
				if m.row != noRow {
					m.pass = 1
				}
				m.next = newest
				x.postings = append(x.postings, m)
				newest = uint32(len(x.postings))
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
	x.rowPasses = map[rowRef]uint32{}
	x.compactAt = 2 * len(x.postings)
}

// setLeaf says that a page belongs to a row of a leaf.
func (x *index) setLeaf(page, leaf uint32) {
	if n := int(page) + 1 - len(x.overflowLeaves); n > 0 {
		x.overflowLeaves = append(x.overflowLeaves, make([]uint32, n)...)
	}
	x.overflowLeaves[page] = leaf
}

// leafOf is the leaf whose row goes on in a page; zero where none does.
func (x *index) leafOf(page uint32) uint32 {
	if int(page) < len(x.overflowLeaves) {
		return x.overflowLeaves[page]
	}
	return 0
}
