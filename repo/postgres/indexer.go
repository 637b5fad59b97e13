package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bits-and-blooms/bloom/v3"
	"github.com/jackc/pgx/v5"

	"pruned/repo"
)

const (
	fetchRows = 1000  // rows a fetch
	flushAt   = 20000 // rows and tokens held at once
)

// indexer reads rows of one table after the other and writes what they mention,
// inside one transaction.
type indexer struct {
	t        pgx.Tx
	literals *repo.Finder       // the known ids that are no UUID
	known    *bloom.BloomFilter // the others; nil where there is too little to read
	// mentioned takes the UUIDs of rows that nobody reads again until they change.
	mentioned mentioned
}

func newIndexer(ctx context.Context, t pgx.Tx) (*indexer, error) {
	rows, _ := t.Query(ctx, `SELECT file_id FROM pruned.known_file WHERE literal`)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return &indexer{t: t, literals: repo.NewFinder(ids)}, translate(err, "list the ids that are no UUID")
}

// changed reads the rows of all tables that changed since their marks, and moves
// the marks.
func (x *indexer) changed(ctx context.Context, relations []*relation, mark string) error {
	var complete []int
	var changed []string
	for _, r := range relations {
		// A table that was never read whole keeps its mark until it is.
		if r.indexed() && r.generation > 0 {
			complete = append(complete, r.id)
			if len(r.columns) > 0 {
				changed = append(changed, fmt.Sprintf("SELECT %d WHERE EXISTS (SELECT FROM ONLY %s t WHERE %s)", r.id, r.quoted(), r.isChanged()))
			}
		}
	}
	if len(changed) > 0 {
		rows, _ := x.t.Query(ctx, strings.Join(changed, " UNION ALL "))
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
		if err != nil {
			return translate(err, "look for tables that changed")
		}
		for _, r := range relations {
			if slices.Contains(ids, r.id) {
				page := newPage(r, nil, &x.mentioned)
				if err := x.read(ctx, page, reading{where: r.isChanged(), mark: "$1::text::xid8::xid"}, mark); err != nil {
					return err
				}
				if err := page.flush(ctx, x.t); err != nil {
					return err
				}
			}
		}
	}
	if err := x.mentioned.flush(ctx, x.t, false); err != nil {
		return err
	}
	_, err := x.t.Exec(ctx, `UPDATE pruned.relation SET w = $2::text::xid8 WHERE id = ANY ($1::int[])`, complete, mark)
	return translate(err, "move the marks of the tables")
}

func (r *relation) isChanged() string { return changedSince(r.w()) }

// reading says which rows t of a table to read.
type reading struct {
	where string
	mark  string // older row versions are not read again
	whole bool   // it is part of a pass over the whole table
}

// read gathers what rows of the page's table mention, and writes it when it is much.
// It reads through a cursor, so that this can be written between two fetches on the
// same session.
func (x *indexer) read(ctx context.Context, page *page, what reading, args ...any) error {
	r := page.relation
	if len(r.columns) == 0 {
		return nil
	}
	x.mentioned.again = x.mentioned.again || r.generation > 0
	values := []string{r.keyText(), "CASE WHEN " + changedSince(what.mark) + " THEN '' ELSE 'y' END"}
	for i := range r.columns {
		values = append(values, r.columns[i].raw())
	}
	if _, err := x.t.Exec(ctx, fmt.Sprintf("DECLARE pruned_read NO SCROLL CURSOR FOR SELECT %s FROM ONLY %s t WHERE %s",
		strings.Join(values, ", "), r.quoted(), what.where), args...); err != nil {
		return translate(err, "read table %s", r)
	}
	for n := fetchRows; n == fetchRows; {
		var err error
		if n, err = x.fetch(ctx, page); err != nil {
			return err
		}
		if page.full() {
			if err := page.flush(ctx, x.t); err != nil {
				return err
			}
		}
		if x.mentioned.full() {
			if err := x.mentioned.flush(ctx, x.t, what.whole); err != nil {
				return err
			}
		}
	}
	_, err := x.t.Exec(ctx, "CLOSE pruned_read")
	return translate(err, "close a cursor")
}

// raw is the column as text. What json is sent as is its text already: casting it
// would copy it twice.
func (c *column) raw() string {
	if c.typ == "json" {
		return "t." + quote(c.name)
	}
	return "t." + quote(c.name) + "::text"
}

func (x *indexer) fetch(ctx context.Context, page *page) (n int, err error) {
	rows, err := x.t.Query(ctx, fmt.Sprintf("FETCH %d FROM pruned_read", fetchRows))
	if err != nil {
		return 0, translate(err, "read table %s", page.relation)
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		values := rows.RawValues()
		page.start(string(values[0]), len(values[1]) > 0)
		for i, text := range values[2:] {
			page.relation.columns[i].counted(text, func(part []byte) {
				repo.Tokens(part, page.addToken)
				x.literals.Find(part, page.addLiteral)
			})
		}
	}
	return n, translate(rows.Err(), "read table %s", page.relation)
}

// texts joins the columns that can hold text, a row each, as v (n, text): the
// column's number and its value.
func (r *relation) texts() string {
	var values []string
	for _, c := range r.columns {
		values = append(values, fmt.Sprintf("(%d, t.%s::text)", c.num, quote(c.name)))
	}
	return " CROSS JOIN LATERAL (VALUES " + strings.Join(values, ", ") + ") v (n, text)"
}

// unreadable names a table that may not be read, and what helps.
func unreadable(r *relation) error {
	return &repo.Error{Kind: repo.Environment, SQLState: "42501", Doing: "read table " + r.String(),
		Err: fmt.Errorf("permission denied; nothing is deleted while a table cannot be searched: GRANT SELECT ON %s TO CURRENT_USER (by its owner, for pruned's role)", r.quoted())}
}
