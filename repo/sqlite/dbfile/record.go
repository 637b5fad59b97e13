package dbfile

import "encoding/binary"

// Row is a row as it is stored: its rowid, and its record, which is read once, from
// its beginning to its end. A record that does not fit into its leaf goes on in a
// chain of overflow pages, each of which begins with the number of the next (1.6,
// 1.7, 2.1).
type Row struct {
	ID    int64
	leaf  uint32
	pages *Pager
	here  []byte // what is left of the page that is being read
	next  uint32 // the page that the record goes on in
	left  int    // bytes of the record that were not read yet
	owned func(page uint32)
	chain chain
}

// maxRecord is how long a record may be, in bytes.
const maxRecord = 1<<31 - 1

// Rows calls yield with the rows of a leaf of a table, and owned with the overflow
// pages of what yield has read. A row is valid until yield returns.
func (p *Pager) Rows(leaf uint32, owned func(page uint32), yield func(*Row) error) error {
	n, err := p.loadNode(leaf)
	if err != nil {
		return err
	}
	if n.kind != leafTable {
		return corruptPage(leaf, "kind %#x where a table has its leaves", n.kind)
	}
	for i := range n.cells {
		cell, err := n.cellAt(i)
		if err != nil {
			return err
		}
		r, err := p.newRow(n, cell)
		if err != nil {
			return err
		}
		r.owned = owned
		if err := yield(&r); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pager) newRow(n node, cell []byte) (Row, error) {
	size, a := readVarint(cell)
	id, b := readVarint(cell[a:])
	if a == 0 || b == 0 || size > maxRecord {
		return Row{}, corruptPage(n.number, "a cell without a size")
	}
	total := int(size)
	local := p.localSize(total)
	rest := cell[a+b:]
	if len(rest) < local || local < total && len(rest) < local+4 {
		return Row{}, corruptPage(n.number, "a cell ends beyond the page")
	}
	r := Row{ID: int64(id), leaf: n.number, pages: p, here: rest[:local], left: total}
	if local < total {
		r.next = binary.BigEndian.Uint32(rest[local:])
	}
	return r, nil
}

// localSize is how much of a record of a table is stored in its leaf.
func (p *Pager) localSize(total int) int {
	if total <= p.usable-35 {
		return total
	}
	least := (p.usable-12)*32/255 - 23
	if fits := least + (total-least)%(p.usable-4); fits <= p.usable-35 {
		return fits
	}
	return least
}

// maxKept is how much memory for texts is kept from one row to the next.
const maxKept = 4 << 20

// readBytes returns the next n bytes of the record, after the tail of what was read
// before. They are valid until it is called again.
func (r *Row) readBytes(n int, tail []byte) ([]byte, error) {
	if len(tail) == 0 && n <= len(r.here) {
		text := r.here[:n]
		r.here, r.left = r.here[n:], r.left-n
		return text, nil
	}
	text := r.pages.text[:0]
	text = append(text, tail...)
	err := r.eachPart(n, func(part []byte) { text = append(text, part...) })
	if r.pages.text = text; cap(text) > maxKept {
		r.pages.text = nil // one long text among many short ones
	}
	return text, err
}

// eachPart goes over the next n bytes, part by part.
func (r *Row) eachPart(n int, yield func(part []byte)) error {
	if n > r.left {
		return corruptPage(r.leaf, "the record of row %d ends early", r.ID)
	}
	for {
		part := r.here[:min(n, len(r.here))]
		yield(part)
		n, r.left, r.here = n-len(part), r.left-len(part), r.here[len(part):]
		if n == 0 {
			return nil
		}
		if r.chain.closes(r.next) {
			return corruptPage(r.next, "the chain of row %d leads back to it", r.ID)
		}
		data, err := r.pages.loadPage(r.next)
		if err != nil {
			return err
		}
		r.owned(r.next)
		r.next = binary.BigEndian.Uint32(data)
		r.here = data[4:min(r.pages.usable, 4+r.left)]
	}
}

// chain notices a chain of pages that leads back to one of them, without a list of
// them: it remembers one page, and another one after twice as many steps each time
// (Brent's algorithm).
type chain struct {
	mark         uint32
	steps, until int
}

func (c *chain) closes(page uint32) bool {
	if c.steps > 0 && page == c.mark {
		return true
	}
	if c.steps++; c.steps > c.until {
		c.mark, c.until = page, 2*c.steps
	}
	return false
}

// EachText calls yield with every value that may hold text, text or blob, and the
// number of its column: with pieces of it, which overlap by so many bytes, where it is
// longer than its column's limit, and not at all where that is zero. text is valid
// until yield returns.
func (r *Row) EachText(overlap int, limit func(column int) int, yield func(column int, text []byte, blob bool)) error {
	types, err := r.serialTypes()
	if err != nil {
		return err
	}
	for column, serial := range types {
		left := int(min(valueSize(serial), uint64(r.left)+1))
		most := limit(column)
		if serial < 12 || most == 0 {
			if err := r.eachPart(left, func([]byte) {}); err != nil {
				return err
			}
			continue
		}
		for tail := []byte(nil); left > 0; {
			n := min(left, most)
			text, err := r.readBytes(n, tail)
			if err != nil {
				return err
			}
			yield(column, text, serial%2 == 0)
			left, tail = left-n, text[max(0, len(text)-overlap):]
		}
	}
	return r.eachPart(r.left, func([]byte) {}) // its pages are the row's as well
}

// serialTypes are the types of the values of a record, which stand before them.
func (r *Row) serialTypes() ([]uint64, error) {
	types := r.pages.types[:0]
	size, n := readVarint(r.here)
	if n == 0 || size < uint64(n) || size > uint64(r.left) {
		return nil, corruptPage(r.leaf, "the record of row %d has no header", r.ID)
	}
	header, err := r.readBytes(int(size), nil)
	if err != nil {
		return nil, err
	}
	for header = header[n:]; len(header) > 0; header = header[n:] {
		var serial uint64
		if serial, n = readVarint(header); n == 0 {
			return nil, corruptPage(r.leaf, "the header of row %d ends early", r.ID)
		}
		types = append(types, serial)
	}
	r.pages.types = types
	return types, nil
}

// valueSize is how many bytes a value has, by its serial type.
func valueSize(serial uint64) uint64 {
	if serial >= 12 {
		return (serial - 12) / 2
	}
	return [...]uint64{0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0}[serial]
}

// readVarint reads SQLite's integer of variable length (1.6), and says how many bytes it
// has: zero where the text ends within it.
func readVarint(b []byte) (v uint64, n int) {
	for i := range 8 {
		if i >= len(b) {
			return 0, 0
		}
		v = v<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	if len(b) < 9 {
		return 0, 0
	}
	return v<<8 | uint64(b[8]), 9
}
