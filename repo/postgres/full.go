package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// page reads on in the tables that have to be read whole, for about a second.
// done tells that nothing is left.
func (db *DB) page(ctx context.Context, t pgx.Tx, known *knownFiles, progress repo.Progress) (done bool, err error) {
	state, err := db.lockState(ctx, t)
	if err != nil {
		return false, err
	}
	if !state.sound || state.passedAt == nil {
		return false, errTablesChanged
	}
	relations, err := db.catalog(ctx, t)
	if err != nil {
		return false, err
	}
	if err := readIndexState(ctx, t, relations); err != nil {
		return false, err
	}
	if err := completeEmpty(ctx, t, relations, state.generation); err != nil {
		return false, err
	}
	x, err := newIndexer(ctx, t)
	if err != nil {
		return false, err
	}
	for until := time.Now().Add(db.pagesTime); ; {
		err := x.nextTable(ctx, relations, known, *state.passedAt, until, progress)
		if done = errors.Is(err, pgx.ErrNoRows); err != nil && !done {
			return false, err
		}
		if done || !time.Now().Before(until) {
			return done, x.mentioned.flush(ctx, t, true)
		}
	}
}

// completeEmpty spares the empty tables, most of them, their turn.
func completeEmpty(ctx context.Context, t pgx.Tx, relations []*relation, generation int) error {
	var empty []string
	for _, r := range relations {
		if r.indexed() && r.id != 0 && r.generation < generation {
			empty = append(empty, fmt.Sprintf("SELECT %d WHERE NOT EXISTS (SELECT FROM ONLY %s)", r.id, r.quoted()))
		}
	}
	if len(empty) == 0 {
		return nil
	}
	_, err := t.Exec(ctx, `UPDATE pruned.relation SET generation = $1, scanning = 0, position = NULL, rows = 0
		WHERE id IN (`+strings.Join(empty, " UNION ALL ")+`)`, generation)
	return pgerr.Translate(err, "look for empty tables")
}

// nextTable reads on in the next table until it ends or time is up, a page at
// least. pgx.ErrNoRows: there is none.
func (x *indexer) nextTable(ctx context.Context, relations []*relation, known *knownFiles, passedAt, until time.Time, progress repo.Progress) error {
	s, err := nextScan(ctx, x.t)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(relations, func(r *relation) bool { return r.oid == s.relid && r.signature == s.signature })
	if i < 0 {
		return errTablesChanged
	}
	if err := s.locate(ctx, x.t, relations[i]); err != nil {
		return err
	}
	if x.known, err = known.load(ctx, x.t, passedAt); err != nil {
		return err
	}
	if err := x.readPages(ctx, relations[i], s, until, progress); err != nil {
		return err
	}
	return s.note(ctx, x.t, relations[i])
}

// readPages reads page by page, in the order in which they lie on the disk: in that
// of the primary key, which is random, it takes twice the time from memory, and far
// more from a disk. Within one file of a table a row version stays in its block for
// as long as it lives. So each that is older than the table's mark is in one of the
// blocks that there are now, and those that come later are read as changed.
func (x *indexer) readPages(ctx context.Context, r *relation, s *scan, until time.Time, progress repo.Progress) error {
	page := newPage(r, x.known, &x.mentioned)
	read := s.rows
	for again := true; again && s.next < s.until; again = time.Now().Before(until) {
		end := min(s.next+pageBlocks, s.until)
		blocks := fmt.Sprintf("t.ctid >= '(%d,0)' AND t.ctid < '(%d,0)'", s.next, end)
		if err := x.read(ctx, page, reading{where: blocks, mark: r.w(), whole: true}); err != nil {
			return err
		}
		s.next, s.rows = end, read+page.seen
		if progress != nil {
			progress(r.String(), s.rows, max(s.estimate, s.rows))
		}
	}
	return page.flush(ctx, x.t)
}
