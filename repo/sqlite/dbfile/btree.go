package dbfile

import (
	"context"
	"encoding/binary"
	"math"
)

// Kinds of pages of a table's b-tree (1.6). A table WITHOUT ROWID is an index, and
// has neither.
const (
	interiorTable = 0x05
	leafTable     = 0x0d
)

// maxDepth is how many levels a b-tree has at most, as SQLite bounds it.
const maxDepth = 20

// node is the header of a page of a b-tree.
type node struct {
	number uint32
	data   []byte // what is used of the page
	start  int    // of the header: the first page begins with the file's
	kind   byte
	cells  int
}

// loadNode reads a page of a table.
func (p *Pager) loadNode(number uint32) (node, error) {
	data, err := p.loadPage(number)
	if err != nil {
		return node{}, err
	}
	n := node{number: number, data: data[:p.usable]}
	if number == 1 {
		n.start = 100
	}
	n.kind = data[n.start]
	if n.kind != leafTable && n.kind != interiorTable {
		return n, corruptPage(number, "kind %#x in a table", n.kind)
	}
	n.cells = int(binary.BigEndian.Uint16(data[n.start+3:]))
	if n.cellPointers()+2*n.cells > len(n.data) {
		return n, corruptPage(number, "%d cells", n.cells)
	}
	return n, nil
}

// cellPointers is where the list of cells begins.
func (n node) cellPointers() int {
	if n.kind == interiorTable {
		return n.start + 12
	}
	return n.start + 8
}

// cellAt returns the page from where its i-th cell begins.
func (n node) cellAt(i int) ([]byte, error) {
	at := int(binary.BigEndian.Uint16(n.data[n.cellPointers()+2*i:]))
	if at < n.cellPointers()+2*n.cells || at+4 > len(n.data) {
		return nil, corruptPage(n.number, "cell %d begins at %d", i, at)
	}
	return n.data[at:], nil
}

// childAt returns the i-th page below an interior one, and the largest rowid that it
// may hold: the last child, which the header names, goes as far as its parent.
func (n node) childAt(i int, last int64) (page uint32, largest int64, err error) {
	if i == n.cells {
		return binary.BigEndian.Uint32(n.data[n.start+8:]), last, nil
	}
	cell, err := n.cellAt(i)
	if err != nil {
		return 0, 0, err
	}
	key, size := readVarint(cell[4:])
	if size == 0 {
		return 0, 0, corruptPage(n.number, "cell %d has no key", i)
	}
	return binary.BigEndian.Uint32(cell), int64(key), nil
}

// rowID returns the rowid of the i-th row of a leaf.
func (n node) rowID(i int) (int64, error) {
	cell, err := n.cellAt(i)
	if err != nil {
		return 0, err
	}
	_, a := readVarint(cell)
	id, b := readVarint(cell[a:])
	if a == 0 || b == 0 {
		return 0, corruptPage(n.number, "cell %d has no row", i)
	}
	return int64(id), nil
}

// Tree returns the pages of the table whose root page this is: its leaves, in order, and
// those above them, which are all that is read, since all leaves are equally deep. The root
// is among these also where it is the only leaf.
func (p *Pager) Tree(ctx context.Context, root uint32) (above, leaves []uint32, err error) {
	height, err := p.levelsBelow(root)
	if err != nil {
		return nil, nil, err
	}
	above = []uint32{root}
	err = p.pagesBelow(ctx, root, height, math.MinInt64, math.MaxInt64, func(page uint32, height int) {
		if height == 0 {
			leaves = append(leaves, page)
		} else if page != root {
			above = append(above, page)
		}
	})
	return above, leaves, err
}

// levelsBelow returns how many levels there are below a page.
func (p *Pager) levelsBelow(number uint32) (int, error) {
	root := number
	for height := range maxDepth {
		n, err := p.loadNode(number)
		if err != nil {
			return 0, err
		}
		if n.kind == leafTable {
			return height, nil
		}
		if number, _, err = n.childAt(0, 0); err != nil {
			return 0, err
		}
	}
	return 0, corruptPage(root, "the table is too deep")
}

// pagesBelow calls yield with a page and those below it, each with how many levels there
// are below. The keys of its pages ascend and lie between first and last; were that not so,
// a page could be met again and again.
func (p *Pager) pagesBelow(ctx context.Context, number uint32, height int, first, last int64, yield func(page uint32, height int)) error {
	yield(number, height)
	if height == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	n, err := p.loadNode(number)
	if err != nil {
		return err
	}
	if n.kind != interiorTable {
		return corruptPage(number, "kind %#x above leaves", n.kind)
	}
	for i := range n.cells + 1 {
		child, largest, err := n.childAt(i, last)
		if err != nil {
			return err
		}
		if largest < first || i < n.cells && largest >= last {
			return corruptPage(number, "the key of cell %d is out of order", i)
		}
		if err := p.pagesBelow(ctx, child, height-1, first, largest, yield); err != nil {
			return err
		}
		first = largest + 1
	}
	return nil
}

// RowIDs returns the rowids of the first and the last row of a leaf: all rows of its
// table in between are on it. An empty leaf has none.
func (p *Pager) RowIDs(leaf uint32) (first, last int64, some bool, err error) {
	n, err := p.loadNode(leaf)
	if err != nil || n.cells == 0 {
		return 0, 0, false, err
	}
	if first, err = n.rowID(0); err != nil {
		return 0, 0, false, err
	}
	last, err = n.rowID(n.cells - 1)
	return first, last, true, err
}
