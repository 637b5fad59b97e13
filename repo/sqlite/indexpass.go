package sqlite

import (
	"context"
	"errors"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/sqlite/dbfile"
)

// indexPass is one pass, under way.
type indexPass struct {
	db       *DB
	session  *session
	pager    *dbfile.Pager
	index    *index
	pace     pace
	progress repo.Progress
	handle   func(t *table, at rowRef, column int, text []byte) // what is done with each
}

// readAll makes a new index.
func (r *indexPass) readAll(ctx context.Context) error {
	c, err := readCatalog(ctx, r.session, r.db.options)
	if err != nil {
		return err
	}
	r.index = newIndex(c)
	ids := r.db.onlyIDs
	if ids != nil {
		r.index.otherUUIDs = nil
	} else if ids, err = r.listIDs(ctx); err != nil {
		return err
	}
	r.index.addFiles(ids)
	for i, text := range c.texts {
		r.index.indexText(rowRef{schemaTable, int64(i)}, 0, []byte(text))
	}
	if err := r.readTables(ctx); err != nil {
		return err
	}
	r.index.complete = true
	r.index.compactAt = 2 * len(r.index.postings)
	r.db.index = r.index
	return nil
}

// listIDs lists what a pass looks for: files, and names.
func (r *indexPass) listIDs(ctx context.Context) ([]string, error) {
	files, err := queryColumn[string](ctx, r.session, `SELECT CAST(id AS TEXT) FROM file WHERE id IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	names, err := readNames(ctx, r.session)
	return append(files, names...), err
}

func (r *indexPass) readTables(ctx context.Context) error {
	noting := startPipeline(r.indexText)
	defer noting.finish()
	r.handle = noting.addText
	for _, t := range r.index.catalog.tables {
		if err := r.readTable(ctx, t, nil); err != nil {
			return err
		}
	}
	return nil
}

// readChanged reads again what pages that were written since may hold.
func (r *indexPass) readChanged(ctx context.Context, written map[uint32]bool) error {
	r.index = r.db.index
	dirty := pageSet{}
	for page := range written {
		dirty.add(page)
		if leaf := r.index.leafOf(page); leaf != 0 {
			dirty.add(leaf)
		}
	}
	if r.db.onlyIDs == nil {
		if err := r.addNewFiles(ctx, dirty); err != nil {
			return err
		}
	}
	r.index.pass++
	r.handle = r.indexText
	for _, t := range r.index.catalog.tables {
		if err := r.readTable(ctx, t, dirty); err != nil {
			return err
		}
	}
	return nil
}

// newFilesSQL lists the ids of the files in a range of rows.
func (c *catalog) newFilesSQL() string {
	return `SELECT CAST(id AS TEXT) FROM file WHERE ` + c.files.rowid + ` BETWEEN ?1 AND ?2 AND id IS NOT NULL`
}

// addNewFiles learns the ids of new rows of table file. One that rows may mention
// which were read before waits until everything is read again: a plugin may choose
// an id first, and tables may be restored one by one.
func (r *indexPass) addNewFiles(ctx context.Context, dirty pageSet) error {
	files, err := r.treeOf(ctx, r.index.catalog.files, dirty)
	if err != nil {
		return err
	}
	var ids []string
	for _, leaf := range files.leaves {
		if !dirty.has(leaf) {
			continue
		}
		first, last, some, err := r.pager.RowIDs(leaf)
		if err != nil {
			return err
		}
		if !some {
			continue
		}
		var id string
		err = queryEach(ctx, r.session, r.index.catalog.newFilesSQL(), []any{first, last}, []any{&id}, func() error {
			ids = append(ids, id)
			return r.pace.checkDeadline()
		})
		if err != nil {
			return err
		}
	}
	r.index.addFiles(ids)
	return nil
}

// readTable reads the leaves of a table that are dirty, or all.
func (r *indexPass) readTable(ctx context.Context, t *table, dirty pageSet) error {
	if t.rowid == "" {
		return r.readRowless(ctx, t)
	}
	tree, err := r.treeOf(ctx, t, dirty)
	if err != nil {
		return err
	}
	var rows, done int64
	for _, leaf := range tree.leaves {
		if dirty != nil && !dirty.has(leaf) {
			continue
		}
		n, err := r.readLeaf(t, leaf)
		if err != nil {
			return err
		}
		rows, done = rows+n, done+1
		if r.progress != nil && n > 0 {
			r.progress(t.name, rows, max(rows, rows*int64(len(tree.leaves))/done))
		}
		if err := errors.Join(ctx.Err(), r.pace.betweenPages()); err != nil {
			return err
		}
	}
	return nil
}

func (r *indexPass) readLeaf(t *table, leaf uint32) (rows int64, err error) {
	own := func(page uint32) { r.index.setLeaf(page, leaf) }
	err = r.pager.Rows(leaf, own, func(row *dbfile.Row) error {
		rows++
		at := rowRef{uint16(t.number), row.ID}
		r.index.supersedeRow(at)
		return row.EachText(r.index.pieceOverlap(), t.maxPiece, func(column int, text []byte, blob bool) {
			if !blob {
				r.handle(t, at, column, text)
				return
			}
			mention.Readings(text, func(text []byte) { r.handle(t, at, column, text) })
		})
	})
	return rows, err
}

// piece is what is read at once of a text that is longer: a row may have a gigabyte.
const piece = 1 << 20

// maxPiece is how much of a text of a column is read at once. JSON of which parts do not
// count is read whole, or else everything in it counts.
func (t *table) maxPiece(column int) int {
	const largeJSON = 64 << 20
	switch {
	case column >= len(t.columns):
		return piece
	case t.columns[column].ignored:
		return 0
	case len(t.columns[column].skippedPaths) > 0:
		return largeJSON
	}
	return piece
}

// indexText adds the mentions in a text, or in a piece of one.
func (r *indexPass) indexText(t *table, at rowRef, column int, text []byte) {
	switch {
	case column >= len(t.columns):
		r.index.indexText(at, column, text)
	case t.columns[column].ignored:
	case len(t.columns[column].skippedPaths) > 0:
		mention.Outside(text, t.columns[column].skippedPaths, func(part []byte) { r.index.indexText(at, column, part) })
	default:
		r.index.indexText(at, column, text)
	}
}

// readRowless reads a table whose rows have no number to name them by, each time.
func (r *indexPass) readRowless(ctx context.Context, t *table) error {
	number := uint16(t.number)
	r.index.tablePasses[number] = r.index.pass
	return t.eachText(ctx, r.session, `1`, nil, func(_ string, column int, text []byte) error {
		r.handle(t, rowRef{number, noRow}, column, text)
		return r.pace.checkDeadline()
	})
}
