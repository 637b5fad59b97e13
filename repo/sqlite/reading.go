package sqlite

import (
	"context"
	"errors"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/sqlite/dbfile"
)

// reading is one pass, under way.
type reading struct {
	db       *DB
	session  *session
	pages    *dbfile.Pager
	index    *index
	pace     pace
	progress repo.Progress
	text     func(t *table, at place, column int, text []byte) // what is done with each
}

// everything makes a new index.
func (r *reading) everything(ctx context.Context) error {
	c, err := readCatalog(ctx, r.session, r.db.options)
	if err != nil {
		return err
	}
	r.index = newIndex(c)
	ids := r.db.only
	if ids != nil {
		r.index.others = nil
	} else if ids, err = column[string](ctx, r.session, `SELECT CAST(id AS TEXT) FROM file WHERE id IS NOT NULL`); err != nil {
		return err
	}
	r.index.know(ids)
	for i, text := range c.texts {
		r.index.note(place{schemaTable, int64(i)}, 0, []byte(text))
	}
	if err := r.tables(ctx); err != nil {
		return err
	}
	r.index.made = true
	r.index.compact = 2 * len(r.index.mentions)
	r.db.index = r.index
	return nil
}

// tables reads every table.
func (r *reading) tables(ctx context.Context) error {
	noting := startNoting(r.note)
	defer noting.end()
	r.text = noting.add
	for _, t := range r.index.catalog.tables {
		if err := r.table(ctx, t, nil); err != nil {
			return err
		}
	}
	return nil
}

// changed reads again what pages that were written since may hold.
func (r *reading) changed(ctx context.Context, written map[uint32]bool) error {
	r.index = r.db.index
	dirty := written
	for page := range written {
		if leaf := r.index.owner(page); leaf != 0 {
			dirty[leaf] = true
		}
	}
	if r.db.only == nil {
		if err := r.newFiles(ctx, dirty); err != nil {
			return err
		}
	}
	r.index.reading++
	r.text = r.note
	for _, t := range r.index.catalog.tables {
		if err := r.table(ctx, t, dirty); err != nil {
			return err
		}
	}
	return nil
}

// newFiles learns the ids of new rows of table file. One that rows may mention
// which were read before waits until everything is read again: a plugin may choose
// an id first, and tables may be restored one by one.
func (r *reading) newFiles(ctx context.Context, dirty map[uint32]bool) error {
	return r.pages.Leaves(ctx, r.index.catalog.files.root, func(leaf uint32) error {
		if !dirty[leaf] {
			return nil
		}
		first, last, some, err := r.pages.RowIDs(leaf)
		if err != nil || !some {
			return err
		}
		var id string
		return each(ctx, r.session, `SELECT CAST(id AS TEXT) FROM file WHERE `+r.index.catalog.files.rowid+` BETWEEN ?1 AND ?2 AND id IS NOT NULL`,
			[]any{first, last}, []any{&id}, func() error {
				r.index.know([]string{id})
				return r.pace.check()
			})
	})
}

// table reads the leaves of a table that are dirty, or all.
func (r *reading) table(ctx context.Context, t *table, dirty map[uint32]bool) error {
	if t.rowid == "" {
		return r.whole(ctx, t)
	}
	var rows, leaves, done int64
	if r.progress != nil {
		err := r.pages.Leaves(ctx, t.root, func(uint32) error { leaves++; return nil })
		if err != nil {
			return err
		}
	}
	return r.pages.Leaves(ctx, t.root, func(leaf uint32) error {
		if dirty != nil && !dirty[leaf] {
			return nil
		}
		n, err := r.leaf(t, leaf)
		if err != nil {
			return err
		}
		rows, done = rows+n, done+1
		if r.progress != nil && n > 0 {
			r.progress(t.name, rows, max(rows, rows*leaves/done))
		}
		return errors.Join(ctx.Err(), r.pace.pause())
	})
}

// leaf reads the rows of one leaf.
func (r *reading) leaf(t *table, leaf uint32) (rows int64, err error) {
	own := func(page uint32) { r.index.own(page, leaf) }
	err = r.pages.Rows(leaf, own, func(row *dbfile.Row) error {
		rows++
		at := place{uint16(t.number), row.ID}
		r.index.reads(at)
		return row.EachText(r.index.overlap(), t.most, func(column int, text []byte, blob bool) {
			if !blob {
				r.text(t, at, column, text)
				return
			}
			mention.Readings(text, func(text []byte) { r.text(t, at, column, text) })
		})
	})
	return rows, err
}

// piece is what is read at once of a text that is longer: a row may have a gigabyte.
const piece = 1 << 20

// most is how much of a text of a column is read at once. JSON of which parts do not
// count is read whole, or else everything in it counts.
func (t *table) most(column int) int {
	const largeJSON = 64 << 20
	switch {
	case column >= len(t.columns):
		return piece
	case t.columns[column].ignored:
		return 0
	case len(t.columns[column].cut) > 0:
		return largeJSON
	}
	return piece
}

// note notes what a text mentions, or a piece of one.
func (r *reading) note(t *table, at place, column int, text []byte) {
	switch {
	case column >= len(t.columns):
		r.index.note(at, column, text)
	case t.columns[column].ignored:
	case len(t.columns[column].cut) > 0:
		mention.Outside(text, t.columns[column].cut, func(part []byte) { r.index.note(at, column, part) })
	default:
		r.index.note(at, column, text)
	}
}

// whole reads a table whose rows have no number to name them by, each time.
func (r *reading) whole(ctx context.Context, t *table) error {
	number := uint16(t.number)
	r.index.loose[number] = r.index.reading
	return t.texts(ctx, r.session, "", nil, func(_ string, column int, text []byte) error {
		r.text(t, place{number, noRow}, column, text)
		return r.pace.check()
	})
}
