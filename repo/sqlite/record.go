package sqlite

import (
	"encoding/binary"

	"pruned/repo/mention"
)

// row is a row as it is stored: its number, and its record, which is read from its
// beginning to its end. A record that does not fit into its leaf goes on in a chain
// of pages, each of which begins with the number of the next.
type row struct {
	id    int64
	leaf  uint32
	pages *pager
	here  []byte // what is left of the page that is being read
	next  uint32 // the page that the record goes on in
	left  int    // bytes of the record that were not read yet
	owned func(page uint32)
}

// rowsOf calls yield with the rows of a leaf of a table, and owned with the pages
// that hold what did not fit into the leaf, of what yield has read.
func (p *pager) rowsOf(leaf uint32, owned func(page uint32), yield func(*row) error) error {
	var n node
	err := p.page(leaf, func(data []byte) (err error) {
		n, err = p.node(leaf, data)
		return err
	})
	if err != nil {
		return err
	}
	if n.kind != leafTable {
		return corrupt(leaf, "kind %#x where a table has its leaves", n.kind)
	}
	for i := range n.cells {
		cell, err := n.cell(i)
		if err != nil {
			return err
		}
		r, err := p.row(n, cell)
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

func (p *pager) row(n node, cell []byte) (row, error) {
	size, a := varint(cell)
	id, b := varint(cell[a:])
	if a == 0 || b == 0 || size > 1<<31 {
		return row{}, corrupt(n.number, "a cell without a size")
	}
	total := int(size)
	local := p.local(total)
	rest := cell[a+b:]
	if len(rest) < local || local < total && len(rest) < local+4 {
		return row{}, corrupt(n.number, "a cell ends beyond the page")
	}
	r := row{id: int64(id), leaf: n.number, pages: p, here: rest[:local], left: total}
	if local < total {
		r.next = binary.BigEndian.Uint32(rest[local:])
	}
	return r, nil
}

// read returns the next n bytes of the record, after the tail of what was read
// before. They are valid until the next read.
func (r *row) read(n int, tail []byte) ([]byte, error) {
	if len(tail) == 0 && n <= len(r.here) {
		text := r.here[:n]
		r.here, r.left = r.here[n:], r.left-n
		return text, nil
	}
	text := r.pages.text[:0]
	text = append(text, tail...)
	err := r.over(n, func(part []byte) { text = append(text, part...) })
	if r.pages.text = text; cap(text) > 4*piece {
		r.pages.text = nil // one long text among many short ones
	}
	return text, err
}

// over goes over the next n bytes, part by part.
func (r *row) over(n int, yield func(part []byte)) error {
	if n > r.left {
		return corrupt(r.leaf, "the record of row %d ends early", r.id)
	}
	for {
		part := r.here[:min(n, len(r.here))]
		yield(part)
		n, r.left, r.here = n-len(part), r.left-len(part), r.here[len(part):]
		if n == 0 {
			return nil
		}
		r.owned(r.next)
		err := r.pages.page(r.next, func(data []byte) error {
			r.next = binary.BigEndian.Uint32(data)
			r.here = data[4:min(r.pages.usable, 4+r.left)]
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// local is how much of a record of a table is stored in its leaf.
func (p *pager) local(total int) int {
	if total <= p.usable-35 {
		return total
	}
	least := (p.usable-12)*32/255 - 23
	if fits := least + (total-least)%(p.usable-4); fits <= p.usable-35 {
		return fits
	}
	return least
}

// piece is what is read at once of a text that is longer: a row may have a gigabyte.
const piece = 1 << 20

// texts calls yield with every value that may hold text, and the number of its
// column: with pieces of it, which overlap, where it is longer than most says for
// its column, and not at all where that is nothing; with a blob as often as there
// are ways to read it.
func (r *row) texts(overlap int, most func(column int) int, yield func(column int, text []byte)) error {
	kinds, err := r.kinds()
	if err != nil {
		return err
	}
	for column, kind := range kinds {
		left := int(min(valueSize(kind), uint64(r.left)+1))
		limit := most(column)
		if kind < 12 || limit == 0 {
			if err := r.over(left, func([]byte) {}); err != nil {
				return err
			}
			continue
		}
		for tail := []byte(nil); left > 0; {
			n := min(left, limit)
			text, err := r.read(n, tail)
			if err != nil {
				return err
			}
			if kind%2 == 0 {
				mention.Readings(text, func(text []byte) { yield(column, text) })
			} else {
				yield(column, text)
			}
			left, tail = left-n, text[max(0, len(text)-overlap):]
		}
	}
	return r.over(r.left, func([]byte) {}) // its pages are the row's as well
}

// kinds are the serial types of the values of a record, which stand before them.
func (r *row) kinds() ([]uint64, error) {
	kinds := r.pages.kinds[:0]
	size, n := varint(r.here)
	if n == 0 || size < uint64(n) || size > uint64(r.left) {
		return nil, corrupt(r.leaf, "the record of row %d has no header", r.id)
	}
	header, err := r.read(int(size), nil)
	if err != nil {
		return nil, err
	}
	for header = header[n:]; len(header) > 0; header = header[n:] {
		var kind uint64
		if kind, n = varint(header); n == 0 {
			return nil, corrupt(r.leaf, "the header of row %d ends early", r.id)
		}
		kinds = append(kinds, kind)
	}
	r.pages.kinds = kinds
	return kinds, nil
}

// valueSize is how long a value is, by its serial type.
func valueSize(kind uint64) uint64 {
	if kind >= 12 {
		return (kind - 12) / 2
	}
	return [...]uint64{0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0}[kind]
}

// varint reads SQLite's integer of variable length, and says how long it is: zero
// where the text ends within it.
func varint(b []byte) (v uint64, n int) {
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

// span is the first and the last row of a leaf: all rows of its table in between
// are on it. some is false for an empty one.
func (p *pager) span(leaf uint32) (first, last int64, some bool, err error) {
	err = p.page(leaf, func(data []byte) error {
		n, err := p.node(leaf, data)
		if err != nil || n.cells == 0 {
			return err
		}
		some = true
		if first, err = n.rowID(0); err != nil {
			return err
		}
		last, err = n.rowID(n.cells - 1)
		return err
	})
	return first, last, some, err
}

func (n node) rowID(i int) (int64, error) {
	cell, err := n.cell(i)
	if err != nil {
		return 0, err
	}
	_, a := varint(cell)
	id, b := varint(cell[a:])
	if a == 0 || b == 0 {
		return 0, corrupt(n.number, "cell %d has no row", i)
	}
	return int64(id), nil
}
