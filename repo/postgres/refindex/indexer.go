package refindex

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bits-and-blooms/bloom/v3"
	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/postgres/pgerr"
)

// maxHeldRows are the rows and tokens held at once.
const maxHeldRows = 20000

// indexer reads rows of one table after the other and writes their mentions, inside one
// transaction.
type indexer struct {
	t        pgx.Tx
	literals *mention.Finder    // the known ids that are no UUID
	known    *bloom.BloomFilter // the others; nil while there is too little to read
	shortest int                // text that can mention any of them: most columns of most rows hold less
	// mentioned takes the UUIDs of rows that nobody reads again until they change.
	mentioned uuidSet
}

func newIndexer(ctx context.Context, t pgx.Tx) (*indexer, error) {
	ids, err := ReadColumn[string](ctx, t, `SELECT file_id FROM pruned.known_file WHERE literal`)
	literals := mention.NewFinder(ids)
	return &indexer{t: t, literals: literals, shortest: literals.ShortestText()}, pgerr.Translate(err, "list the ids that are no UUID")
}

// indexChanged reads the rows of all tables that changed since their marks, and moves
// the marks. It returns a snapshot at which no row of theirs lay behind the new ones, for
// looks once this is committed; nil where none is known.
func (x *indexer) indexChanged(ctx context.Context, relations []*relation, s *passState) (h *answerHeader, err error) {
	var complete []int
	for _, r := range relations {
		// A table that was never read whole keeps its mark until it is.
		if r.isComplete() {
			complete = append(complete, r.id)
		}
	}
	h, changed, usable, err := x.findChanged(ctx, relations)
	if err != nil {
		return nil, err
	}
	for _, r := range relations {
		if slices.Contains(changed, r.id) {
			page, where := newPageBuffer(r, x.known, &x.mentioned), r.isChanged()
			if slices.Contains(usable, r.id) {
				where += " AND " + r.isNotedSQL()
			}
			if err := x.readRows(ctx, page, rowFilter{where: where, mark: "$1::text::xid8::xid"}, s.mark); err != nil {
				return nil, err
			}
			if err := page.flushMentions(ctx, x.t); err != nil {
				return nil, err
			}
		}
	}
	if err := x.mentioned.flushUUIDs(ctx, x.t, false); err != nil {
		return nil, err
	}
	switch {
	case h == nil || len(changed) == 0:
	case s.alone:
		// Every number below the end of the pass's first snapshot, which is the new mark, had
		// ended: what is not older has one from there on, and looks ask whose those are.
		h.Snapshot = s.mark + ":" + s.mark + ":"
	default:
		h = nil
	}
	_, err = x.t.Exec(ctx, `UPDATE pruned.relation SET w = $2::text::xid8 WHERE id = ANY ($1::int[])`, complete, s.mark)
	return h, pgerr.Translate(err, "move the marks of the tables")
}

func (r *relation) isComplete() bool { return r.canIndex() && r.generation > 0 }

// findChanged finds the tables with rows that changed since their marks, dead or alive, and
// those of which these are all noted. It returns the snapshot of that, nil where a table was
// not asked. What looks know does not spare it: they leave out dead rows, which an index
// without them would never find when they live again.
func (x *indexer) findChanged(ctx context.Context, relations []*relation) (h *answerHeader, changed, usable []int, err error) {
	h = &answerHeader{}
	if err := x.t.QueryRow(ctx, indexDigestSQL).Scan(&h.Index); err != nil {
		return nil, nil, nil, pgerr.Translate(err, "read the state of the reference index")
	}
	branches, all := []string{"SELECT 0 WHERE false"}, true
	for _, r := range relations {
		if r.isComplete() && len(r.columns) > 0 {
			branches = append(branches, fmt.Sprintf("SELECT %d WHERE %s", r.id, r.hasChangedSQL()))
		}
		all = all && (r.isComplete() || !r.canIndex())
	}
	with, noted := passCaptureCTE(relations)
	sql := with + `SELECT pg_current_snapshot()::text, ` + serverSQL + `, ARRAY(` + strings.Join(branches, " UNION ALL ") + `), ` + noted
	if err := x.t.QueryRow(ctx, sql).Scan(&h.Snapshot, &h.Server, &changed, &usable); err != nil {
		return nil, nil, nil, pgerr.Translate(err, "look for tables that changed")
	}
	if !all {
		h = nil
	}
	return h, changed, usable, nil
}

// hasChangedSQL is the condition that a row of the relation changed since its mark.
func (r *relation) hasChangedSQL() string {
	whole := fmt.Sprintf("EXISTS (SELECT FROM ONLY %s t WHERE %s)", r.quotedName(), r.isChanged())
	if !r.captured {
		return whole
	}
	return fmt.Sprintf("CASE WHEN %s THEN EXISTS (SELECT FROM %s WHERE %s) ELSE %s END", r.usableSQL(), r.notedRowsSQL(), r.isChanged(), whole)
}

func (r *relation) isChanged() string { return changedSince(r.markSQL()) }

// rowFilter selects the rows t of a table to read.
type rowFilter struct {
	where string
	mark  string // older row versions are not read again
	whole bool   // it is part of a pass over the whole table
}

// readRows gathers the mentions of rows of the page's table, and writes them when they are
// many. It reads through a cursor, so that they can be written between two fetches on the
// same session.
func (x *indexer) readRows(ctx context.Context, page *pageBuffer, what rowFilter, args ...any) error {
	r := page.relation
	if len(r.columns) == 0 {
		return nil
	}
	x.mentioned.again = x.mentioned.again || r.generation > 0
	declare := r.cursorSQL(r.keyText(), "CASE WHEN "+changedSince(what.mark)+" THEN '' ELSE 'y' END", what.where)
	if _, err := x.t.Exec(ctx, declare, args...); err != nil {
		return pgerr.Translate(err, "read table %s", r)
	}
	for more := true; more; {
		var err error
		if more, err = x.fetchRows(ctx, page); err != nil {
			return err
		}
		if page.isFull() {
			if err := x.flushPage(ctx, page); err != nil {
				return err
			}
		}
		if x.mentioned.isFull() {
			if err := x.mentioned.flushUUIDs(ctx, x.t, what.whole); err != nil {
				return err
			}
		}
	}
	_, err := x.t.Exec(ctx, "CLOSE pruned_read")
	return pgerr.Translate(err, "close a cursor")
}

// flushPage writes the gathered mentions. Where there is that much to read, ids that are
// no file's are worth leaving out from here on.
func (x *indexer) flushPage(ctx context.Context, page *pageBuffer) (err error) {
	if err := page.flushMentions(ctx, x.t); err != nil || page.known != nil {
		return err
	}
	x.known, err = (&knownFiles{}).loadFilter(ctx, x.t, time.Time{})
	page.known = x.known
	return err
}

// unreadableError names a table that may not be read, and the remedy.
func unreadableError(r *relation) error {
	return &repo.Error{Kind: repo.Environment, SQLState: "42501", Doing: "read table " + r.String(),
		Err: fmt.Errorf("permission denied; nothing is deleted while a table cannot be searched: GRANT %s TO CURRENT_USER (by its owner, for pruned's role)", r.missingPrivilege())}
}

// missingPrivilege is the one by which a table can be read.
func (r *relation) missingPrivilege() string {
	if r.closed {
		return "USAGE ON SCHEMA " + QuoteName(r.schema)
	}
	return "SELECT ON " + r.quotedName()
}
