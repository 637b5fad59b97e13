package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// errCorrupt says that a page is not what the file format (sqlite.org/fileformat2)
// says it must be. Nothing that such a file says can be trusted.
var errCorrupt = errors.New("the database is corrupt")

func corrupt(page uint32, format string, args ...any) error {
	return fmt.Errorf("%w: page %d: %s", errCorrupt, page, fmt.Sprintf(format, args...))
}

// pager reads raw pages, as the transaction of its connection sees them, through
// SQLite's own table of pages (sqlite.org/dbpage). A statement costs more than a
// page: where pages are asked for that lie beside each other, it reads a block of
// them at once.
type pager struct {
	single, several *sql.Stmt
	usable          int // bytes of a page that SQLite uses
	read            int // pages, ever

	blocks []block  // the one that was used last is the last
	missed []uint32 // numbers of the blocks in which single pages were read, lately
	text   []byte   // see row.read
	kinds  []uint64 // see row.kinds
}

// block is blockPages pages that lie beside each other.
type block struct {
	number uint32 // of its first page, divided by blockPages
	pages  [][]byte
}

const (
	blockPages = 16
	mostBlocks = 8
	mostMissed = 8
)

const (
	pageSQL  = `SELECT data FROM sqlite_dbpage WHERE pgno = ?1`
	pagesSQL = `WITH RECURSIVE n (i) AS (VALUES (?1) UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
		SELECT d.data FROM n CROSS JOIN sqlite_dbpage d WHERE d.pgno = n.i`
)

// pager makes the pager of a connection. What an earlier transaction saw is
// forgotten.
func (s *session) pager(ctx context.Context) (*pager, error) {
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	if s.pages != nil {
		s.pages.blocks, s.pages.missed = nil, nil
		return s.pages, nil
	}
	for _, query := range []string{pageSQL, pagesSQL} {
		if err := s.prepare(ctx, query); err != nil {
			return nil, err
		}
	}
	p := &pager{single: s.statements[pageSQL], several: s.statements[pagesSQL]}
	err := p.page(1, func(data []byte) error {
		p.usable = len(data) - int(data[20])
		if p.usable < 480 {
			return corrupt(1, "only %d bytes of a page are used", p.usable)
		}
		return nil
	})
	if err == nil {
		s.pages = p
	}
	return p, err
}

// page calls fn with the content of a page, which stays as it is. It cannot be
// interrupted: that would cost more than reading a page.
func (p *pager) page(number uint32, fn func(data []byte) error) error {
	data, err := p.find(number)
	if err != nil {
		return err
	}
	if data == nil {
		return corrupt(number, "it does not exist")
	}
	if len(data) < 512 || p.usable > len(data) {
		return corrupt(number, "it has %d bytes", len(data))
	}
	p.read++
	return fn(data)
}

// find returns a page, nil if there is none.
func (p *pager) find(number uint32) ([]byte, error) {
	of := number / blockPages
	for i := len(p.blocks) - 1; i >= 0; i-- {
		if p.blocks[i].number == of {
			return p.blocks[i].page(number), nil
		}
	}
	if !slices.Contains(p.missed, of) {
		p.missed = append(p.missed, of)
		p.missed = p.missed[max(0, len(p.missed)-mostMissed):]
		var page []byte
		err := pages(p.single, func(data []byte) { page = data }, int64(number))
		return page, err
	}
	b := block{number: of}
	err := pages(p.several, func(data []byte) { b.pages = append(b.pages, data) }, int64(max(1, of*blockPages)), int64(of*blockPages+blockPages-1))
	if err != nil {
		return nil, err
	}
	p.blocks = append(p.blocks, b)
	p.blocks = p.blocks[max(0, len(p.blocks)-mostBlocks):]
	return b.page(number), nil
}

// page is one of a block's pages; nil beyond the end of the database. There is no
// page 0.
func (b block) page(number uint32) []byte {
	i := int(number % blockPages)
	if b.number == 0 {
		i--
	}
	if i < 0 || i >= len(b.pages) {
		return nil
	}
	return b.pages[i]
}

// pages runs a statement that returns pages.
func pages(statement *sql.Stmt, yield func(data []byte), args ...any) error {
	rows, err := statement.QueryContext(context.Background(), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var data sql.RawBytes // the driver makes a new one for each row
		if err := rows.Scan(&data); err != nil {
			return err
		}
		yield(data)
	}
	return rows.Err()
}

// Kinds of pages of a b-tree.
const (
	innerTable = 0x05
	leafTable  = 0x0d
	innerIndex = 0x02 // that a table WITHOUT ROWID is made of
	leafIndex  = 0x0a
)

// node is the header of a page of a b-tree.
type node struct {
	number uint32
	data   []byte // the whole page
	start  int    // of the header: the first page begins with the file's
	kind   byte
	cells  int
}

func (p *pager) node(number uint32, data []byte) (node, error) {
	n := node{number: number, data: data[:p.usable]}
	if number == 1 {
		n.start = 100
	}
	n.kind = data[n.start]
	n.cells = int(binary.BigEndian.Uint16(data[n.start+3:]))
	if n.pointers()+2*n.cells > len(n.data) {
		return n, corrupt(number, "%d cells", n.cells)
	}
	return n, nil
}

// pointers is where the list of cells begins.
func (n node) pointers() int {
	if n.kind == innerTable || n.kind == innerIndex {
		return n.start + 12
	}
	return n.start + 8
}

// cell returns the page from where its i-th cell begins.
func (n node) cell(i int) ([]byte, error) {
	at := int(binary.BigEndian.Uint16(n.data[n.pointers()+2*i:]))
	if at < n.pointers()+2*n.cells || at+4 > len(n.data) {
		return nil, corrupt(n.number, "cell %d begins at %d", i, at)
	}
	return n.data[at:], nil
}

// children are the pages below an inner page of a table, in order.
func (n node) children() ([]uint32, error) {
	list := make([]uint32, 0, n.cells+1)
	for i := range n.cells {
		cell, err := n.cell(i)
		if err != nil {
			return nil, err
		}
		list = append(list, binary.BigEndian.Uint32(cell))
	}
	return append(list, binary.BigEndian.Uint32(n.data[n.start+8:])), nil
}

// leaves calls yield with the number of each leaf of a table, in order, reading
// only the pages above them: all leaves are equally deep.
func (p *pager) leaves(ctx context.Context, root uint32, yield func(leaf uint32) error) error {
	height, err := p.height(root)
	if err != nil {
		return err
	}
	return p.below(ctx, root, height, yield)
}

// height is how many levels there are below a page.
func (p *pager) height(number uint32) (height int, err error) {
	const most = 20 // SQLite's own bound
	for ; height <= most; height++ {
		leaf, next := false, uint32(0)
		err := p.page(number, func(data []byte) error {
			n, err := p.node(number, data)
			if err != nil {
				return err
			}
			switch n.kind {
			case leafTable:
				leaf = true
				return nil
			case innerTable:
				children, err := n.children()
				next = children[0]
				return err
			}
			return corrupt(number, "kind %#x in a table", n.kind)
		})
		if err != nil || leaf {
			return height, err
		}
		number = next
	}
	return 0, corrupt(number, "the table is too deep")
}

func (p *pager) below(ctx context.Context, number uint32, height int, yield func(uint32) error) error {
	if height == 0 {
		return yield(number)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var children []uint32
	err := p.page(number, func(data []byte) error {
		n, err := p.node(number, data)
		if err != nil {
			return err
		}
		if n.kind != innerTable {
			return corrupt(number, "kind %#x above leaves", n.kind)
		}
		children, err = n.children()
		return err
	})
	if err != nil {
		return err
	}
	for _, child := range children {
		if err := p.below(ctx, child, height-1, yield); err != nil {
			return err
		}
	}
	return nil
}
