package refindex

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// ErrIncomplete means that the reference index does not cover every table as it is now.
// Nothing may be deleted until IndexAll has run.
var ErrIncomplete = errors.New("the reference index is incomplete")

// errOutdated means that a statement was made for tables or an index that have changed
// since; a new statement may succeed.
var errOutdated = errors.New("the tables changed since the statement was made")

// Plan holds the statements of a search and the state that they were made for.
type Plan struct {
	relations                  []*relation
	find, findIndexed, recheck string
	unenforced                 []UnenforcedLinks
	catalog                    string // digest of the tables
	deletes                    string // see deletesSQL
	index                      string // digest of pruned.relation
}

// learnFromFailure decides after a failure how the next search is made; the transaction
// that met it is lost either way, and its batch is handled again.
func (ix *Index) learnFromFailure(err error, cached bool) error {
	state := repo.SQLState(err)
	renamed := slices.Contains([]string{"42P01", "42703", "42704", "3F000"}, state) // a table, column, type or schema
	if retyped := state == "42883" || state == "42804"; renamed || cached && retyped {
		ix.LastPlan.Store(nil)
		return &repo.Error{Kind: repo.Passing, SQLState: state, Doing: "look for references", Err: fmt.Errorf("%w: %w", errOutdated, err)}
	}
	return err
}

// planTries is how many plans a search is made with: a pass that ends between a new plan and
// its statement outdates it.
const planTries = 3

// withPlan calls fn with a plan, and with new ones if there is none or it turns out to be
// outdated.
func (ix *Index) withPlan(ctx context.Context, t pgx.Tx, p *Plan, fn func(*Plan) error) error {
	if p != nil {
		if err := fn(p); !errors.Is(err, errOutdated) {
			return ix.learnFromFailure(err, true)
		}
	}
	for range planTries {
		p, err := ix.newPlan(ctx, t)
		if err != nil {
			return err
		}
		ix.LastPlan.Store(p)
		if err := fn(p); !errors.Is(err, errOutdated) {
			return ix.learnFromFailure(err, false)
		}
	}
	return &repo.Error{Kind: repo.Passing, Doing: "look for references", Err: errOutdated}
}

// newPlan reads the tables and the index's own list of them, and refuses if the
// index does not cover each as it is.
func (ix *Index) newPlan(ctx context.Context, t pgx.Tx) (*Plan, error) {
	p := &Plan{}
	err := t.QueryRow(ctx, `SELECT (`+catalogDigestSQL+`), (`+indexDigestSQL+`), (`+deletesSQL+`)`, ix.catalogArgs(nil)).
		Scan(&p.catalog, &p.index, &p.deletes)
	if err != nil {
		return nil, pgerr.Translate(err, "read the state of the reference index")
	}
	if p.relations, err = ix.readRelations(ctx, t); err != nil {
		return nil, err
	}
	for _, r := range p.relations {
		if !r.readable {
			return nil, unreadableError(r)
		}
		if r.canIndex() && r.generation == 0 {
			return nil, &repo.Error{Kind: repo.Environment, Doing: "look for references in table " + r.String(), Err: ErrIncomplete}
		}
	}
	if err := ix.refuseLost(ctx, t); err != nil {
		return nil, err
	}
	if p.unenforced, err = ix.readUnenforcedLinks(ctx, t); err != nil {
		return nil, err
	}
	p.find, p.findIndexed, p.recheck = findSQL(p.relations), findIndexedSQL(p.relations), recheckSQL(p.relations, ix.quotedTable("file"))
	return p, nil
}

// isPlain says that a deletion takes away nothing but what goes with the files by keys.
func (p *Plan) isPlain() bool { return strings.HasPrefix(p.deletes, "true ") }

// readRelations reads the catalog and what the index knows of it.
func (ix *Index) readRelations(ctx context.Context, t pgx.Tx) ([]*relation, error) {
	relations, err := ix.readCatalog(ctx, t)
	if err != nil {
		return nil, err
	}
	return relations, readIndexState(ctx, t, relations)
}

// readIndexState fills in numbers and generations of the relations. A relation whose
// signature differs is as good as new.
func readIndexState(ctx context.Context, t pgx.Tx, relations []*relation) error {
	byOID := make(map[uint32]*relation, len(relations))
	for _, r := range relations {
		byOID[r.oid] = r
	}
	rows, _ := t.Query(ctx, `SELECT relid, id, signature, generation, captured IS NOT NULL FROM pruned.relation`)
	var oid uint32
	var id, generation int
	var signature string
	var captured bool
	_, err := pgx.ForEachRow(rows, []any{&oid, &id, &signature, &generation, &captured}, func() error {
		if r := byOID[oid]; r != nil && r.signature == signature {
			r.id, r.generation, r.captured = id, generation, captured && r.canCapture()
		}
		return nil
	})
	return pgerr.Translate(err, "read the state of the reference index")
}

// RequireComplete refuses an index that does not cover every table as it is now.
func (ix *Index) RequireComplete(ctx context.Context, t pgx.Tx) error {
	_, err := ix.newPlan(ctx, t)
	return err
}
