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
)

const nextScanSQL = `
SELECT r.id, r.relid, r.signature, r.position, r.rows, greatest(c.reltuples, 0)::bigint, s.generation, r.scanning = s.generation
  FROM pruned.relation r CROSS JOIN pruned.state s LEFT JOIN pg_class c ON c.oid = r.relid
 WHERE r.generation < s.generation
 ORDER BY r.id LIMIT 1`

// scan is a full pass over one table, under way.
type scan struct {
	id             int
	relid          uint32
	signature      string
	position       *string
	rows, estimate int64
	generation     int
	resumed        bool
}

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
	for began := time.Now(); ; {
		err := x.nextPage(ctx, relations, known, *state.passedAt, progress)
		if done = errors.Is(err, pgx.ErrNoRows); err != nil && !done {
			return false, err
		}
		if done || time.Since(began) >= db.pagesTime {
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
	return translate(err, "look for empty tables")
}

// nextPage reads a page of the next table. pgx.ErrNoRows: there is none.
func (x *indexer) nextPage(ctx context.Context, relations []*relation, known *knownFiles, passedAt time.Time, progress repo.Progress) error {
	s := &scan{}
	err := x.t.QueryRow(ctx, nextScanSQL).Scan(&s.id, &s.relid, &s.signature, &s.position, &s.rows, &s.estimate, &s.generation, &s.resumed)
	if errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if err != nil {
		return translate(err, "look for the next table to read")
	}
	if !s.resumed {
		s.position, s.rows = nil, 0
	}
	i := slices.IndexFunc(relations, func(r *relation) bool { return r.oid == s.relid && r.signature == s.signature })
	if i < 0 {
		return errTablesChanged
	}
	if x.known, err = known.load(ctx, x.t, passedAt); err != nil {
		return err
	}
	return x.readPage(ctx, relations[i], s, progress)
}

func (x *indexer) readPage(ctx context.Context, r *relation, s *scan, progress repo.Progress) error {
	found, err := x.read(ctx, r, reading{from: r.pageAfter(), rest: r.orderBy(), mark: r.w(), whole: true}, s.position)
	if err != nil {
		return err
	}
	s.rows += found.rows
	if found.rows < pageRows {
		_, err = x.t.Exec(ctx, `UPDATE pruned.relation SET generation = $2, scanning = 0, position = NULL, rows = 0 WHERE id = $1`, s.id, s.generation)
	} else {
		_, err = x.t.Exec(ctx, `UPDATE pruned.relation SET scanning = $2, position = $3, rows = $4 WHERE id = $1`, s.id, s.generation, found.last, s.rows)
	}
	if progress != nil && err == nil {
		progress(r.String(), s.rows, max(s.estimate, s.rows))
	}
	return translate(err, "note how far table %s was read", r)
}

// pageAfter is a subquery, the page after position $1, in the order of
// the primary key: never of ctid, which VACUUM FULL changes.
func (r *relation) pageAfter() string {
	var columns, values []string
	for i, c := range r.key {
		columns = append(columns, "t."+quote(c.name))
		if len(r.key) == 1 {
			values = append(values, "$1::text::"+c.typ)
		} else {
			values = append(values, fmt.Sprintf("($1::text::text[])[%d]::%s", i+1, c.typ))
		}
	}
	return fmt.Sprintf("(SELECT xmin, * FROM ONLY %s t WHERE $1::text IS NULL OR (%s) > (%s)%s LIMIT %d)", r.quoted(),
		strings.Join(columns, ", "), strings.Join(values, ", "), r.orderBy(), pageRows)
}
