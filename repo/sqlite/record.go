package sqlite

import (
	"encoding/binary"

	"pruned/repo"
)

// row is a row as it is stored: its number and its record, whole.
type row struct {
	id     int64
	record []byte
}

// rowsOf calls yield with the rows of a leaf of a table, and owned with the pages
// that hold what did not fit into the leaf. A row is valid until yield returns.
func (p *pager) rowsOf(leaf uint32, buffer *[]byte, owned func(page uint32), yield func(row) error) error {
	// The leaf is copied: other pages are read while it is gone through.
	var content []byte
	err := p.page(leaf, func(data []byte) error {
		content = append(content, data...)
		return nil
	})
	if err != nil {
		return err
	}
	n, err := p.node(leaf, content)
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
		r, err := p.row(n, cell, buffer, owned)
		if err != nil {
			return err
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

// row puts a row together. A record that does not fit into its leaf goes on in a
// chain of pages, each of which begins with the number of the next.
func (p *pager) row(n node, cell []byte, buffer *[]byte, owned func(uint32)) (row, error) {
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
	if local == total {
		return row{int64(id), rest[:total]}, nil
	}
	if cap(*buffer) < total {
		*buffer = make([]byte, 0, total)
	}
	record := (*buffer)[:0]
	record = append(record, rest[:local]...)
	next := binary.BigEndian.Uint32(rest[local:])
	for len(record) < total {
		number := next
		owned(number)
		err := p.page(number, func(data []byte) error {
			next = binary.BigEndian.Uint32(data)
			record = append(record, data[4:min(p.usable, 4+total-len(record))]...)
			return nil
		})
		if err != nil {
			return row{}, err
		}
	}
	return row{int64(id), record}, nil
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

// texts calls yield with every value of a record that may hold text, and the
// number of its column; with a blob as often as there are ways to read it.
func (r row) texts(page uint32, yield func(column int, text []byte)) error {
	header, at := varint(r.record)
	if at == 0 || header > uint64(len(r.record)) {
		return corrupt(page, "the record of row %d has no header", r.id)
	}
	values := r.record[header:]
	for column := 0; at < int(header); column++ {
		kind, n := varint(r.record[at:int(header)])
		if n == 0 {
			return corrupt(page, "the header of row %d ends early", r.id)
		}
		at += n
		size := valueSize(kind)
		if size > uint64(len(values)) {
			return corrupt(page, "the record of row %d ends early", r.id)
		}
		switch {
		case kind < 12 || size == 0:
		case kind%2 == 0:
			repo.Readings(values[:size], func(text []byte) { yield(column, text) })
		default:
			yield(column, values[:size])
		}
		values = values[size:]
	}
	return nil
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
