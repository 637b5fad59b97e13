package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
)

// errCorrupt says that a page is not what the file format (sqlite.org/fileformat2)
// says it must be. Nothing that such a file says can be trusted.
var errCorrupt = errors.New("the database is corrupt")

func corrupt(page uint32, format string, args ...any) error {
	return fmt.Errorf("%w: page %d: %s", errCorrupt, page, fmt.Sprintf(format, args...))
}

// pager reads raw pages, as the transaction of its connection sees them, through
// SQLite's own table of pages (sqlite.org/dbpage).
type pager struct {
	statement *sql.Stmt
	usable    int // bytes of a page that SQLite uses
	read      int // pages, ever
}

// pager makes the pager of a connection.
func (s *session) pager(ctx context.Context) (*pager, error) {
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	if s.pages != nil {
		return s.pages, nil
	}
	const query = `SELECT data FROM sqlite_dbpage WHERE pgno = ?1`
	if err := s.prepare(ctx, query); err != nil {
		return nil, err
	}
	p := &pager{statement: s.statements[query]}
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

// page calls fn with the content of a page, valid until fn returns. It cannot be
// interrupted: that would cost more than reading a page.
func (p *pager) page(number uint32, fn func(data []byte) error) error {
	rows, err := p.statement.QueryContext(context.Background(), int64(number))
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return corrupt(number, "it does not exist")
	}
	var data sql.RawBytes
	if err := rows.Scan(&data); err != nil {
		return err
	}
	if len(data) < 512 || p.usable > len(data) {
		return corrupt(number, "it has %d bytes", len(data))
	}
	p.read++
	return fn(data)
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
