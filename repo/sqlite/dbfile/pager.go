// Package dbfile reads a SQLite database below its SQL: the pages of its tables, the
// records on them, and the frames of its write-ahead log.
//
// Its central idea is that the file belongs to another program, which may write to it
// meanwhile, and that it may be damaged. Nothing in it is believed before it is
// checked, and where it contradicts the format (sqlite.org/fileformat2), reading ends
// with ErrCorrupt. The package knows neither what the rows mean nor what is looked
// for in them, and it never writes.
package dbfile

import (
	"errors"
	"fmt"
	"slices"
)

// ErrCorrupt says that a page is not what the file format says it must be. Nothing
// that such a file says can be trusted.
var ErrCorrupt = errors.New("the database is corrupt")

func corruptPage(page uint32, format string, args ...any) error {
	return fmt.Errorf("%w: page %d: %s", ErrCorrupt, page, fmt.Sprintf(format, args...))
}

// ReadPages calls yield with the pages from first to last, as one transaction sees
// them, in order; those beyond the end of the database are left out. It must not
// change a page after it was yielded.
type ReadPages func(first, last uint32, yield func(page []byte)) error

// Pager keeps the pages that were read lately. To ask for a page costs more than the
// page: where pages are asked for that lie beside each other, it reads a block of
// them at once.
type Pager struct {
	read   ReadPages
	usable int // bytes of a page that SQLite uses
	count  int // pages that were looked at, ever

	blocks []block  // the one that was used last is the last
	missed []uint32 // numbers of the blocks in which single pages were read, lately
	text   []byte   // see Row.readBytes
	types  []uint64 // see Row.serialTypes
}

// block is blockPages pages that lie beside each other.
type block struct {
	number uint32 // of its first page, divided by blockPages
	pages  [][]byte
}

const (
	blockPages = 16
	maxBlocks  = 8
	maxMissed  = 8

	minPage   = 512 // bytes of a page (1.3.2)
	minUsable = 480 // and without what is reserved at its end (1.3.4)
)

// NewPager returns the pager of a database.
func NewPager(read ReadPages) (*Pager, error) {
	p := &Pager{read: read}
	return p, p.Reset()
}

// Reset forgets every page: another transaction may see others, also of another size.
func (p *Pager) Reset() error {
	p.blocks, p.missed = nil, nil
	var header []byte
	if err := p.read(1, 1, func(page []byte) { header = page }); err != nil {
		return err
	}
	if len(header) < minPage {
		return corruptPage(1, "it has %d bytes", len(header))
	}
	if p.usable = len(header) - int(header[20]); p.usable < minUsable {
		return corruptPage(1, "only %d bytes of a page are used", p.usable)
	}
	return nil
}

// PagesRead counts the pages that were looked at since the pager was made.
func (p *Pager) PagesRead() int { return p.count }

// loadPage returns the content of a page, which stays as it is.
func (p *Pager) loadPage(number uint32) ([]byte, error) {
	data, err := p.findPage(number)
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, corruptPage(number, "it does not exist")
	}
	if len(data) < max(minPage, p.usable) {
		return nil, corruptPage(number, "it has %d bytes", len(data))
	}
	p.count++
	return data, nil
}

// findPage returns a page, nil if there is none.
func (p *Pager) findPage(number uint32) (page []byte, err error) {
	of := number / blockPages
	for i := len(p.blocks) - 1; i >= 0; i-- {
		if p.blocks[i].number == of {
			return p.blocks[i].pageOf(number), nil
		}
	}
	if !slices.Contains(p.missed, of) {
		p.missed = append(p.missed, of)
		p.missed = p.missed[max(0, len(p.missed)-maxMissed):]
		err := p.read(number, number, func(data []byte) { page = data })
		return page, err
	}
	b := block{number: of}
	if err := p.read(max(1, of*blockPages), of*blockPages+blockPages-1, func(data []byte) { b.pages = append(b.pages, data) }); err != nil {
		return nil, err
	}
	p.blocks = append(p.blocks, b)
	p.blocks = p.blocks[max(0, len(p.blocks)-maxBlocks):]
	return b.pageOf(number), nil
}

// pageOf returns one of a block's pages; nil beyond the end of the database. There is
// no page 0.
func (b block) pageOf(number uint32) []byte {
	i := int(number % blockPages)
	if b.number == 0 {
		i--
	}
	if i < 0 || i >= len(b.pages) {
		return nil
	}
	return b.pages[i]
}
