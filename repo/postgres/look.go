package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/postgres/pgerr"
)

// ErrIncomplete says that the reference index does not cover every table as it
// is now. Nothing may be deleted until Refresh has run.
var ErrIncomplete = errors.New("the reference index is incomplete")

// errOutdated says that a statement was made for tables or an index that have
// changed since; made anew it may do.
var errOutdated = errors.New("the tables changed since the statement was made")

// plan holds the two statements and what they were made for.
type plan struct {
	relations   []*relation
	look, again string
	catalog     string // digest of the tables
	index       string // digest of pruned.relation
}

// lookCache holds the last plan. It is no truth: each statement reports what it
// saw, and is thrown away if that is not what it was made for.
type lookCache struct {
	mu   sync.Mutex
	last *plan
	// unprepared: a pooler changes the session below a prepared statement.
	unprepared atomic.Bool
}

// mode is how a look is sent: planning it takes longer than running it, so it is
// prepared once a session, unless a pooler stands between.
func (c *lookCache) mode() pgx.QueryExecMode {
	if c.unprepared.Load() {
		return pgx.QueryExecModeExec
	}
	return pgx.QueryExecModeCacheStatement
}

// learn draws from a failure what the next look does otherwise; the transaction
// that met it is lost either way, and its batch is handled again.
func (c *lookCache) learn(err error, cached bool) error {
	switch state := repo.SQLState(err); {
	case state == "26000", state == "42P05": // prepared statements do not survive here
		c.unprepared.Store(true)
	case state == "42P01", state == "42703", state == "42704", state == "3F000", // a table, column, type, schema has another name by now
		cached && (state == "42883" || state == "42804"): // or a column another type
		c.set(nil)
		return &repo.Error{Kind: repo.Passing, SQLState: repo.SQLState(err), Doing: "look for references", Err: fmt.Errorf("%w: %w", errOutdated, err)}
	}
	return err
}

func (c *lookCache) get() *plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

func (c *lookCache) set(p *plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = p
}

// header is the first row of a look.
type header struct {
	Snapshot   string
	Same       bool // the index belongs to this database
	Catalog    string
	Index      string
	Generation int
	Sound      bool
}

// check says whether a look with this header may be believed.
func (h *header) check(p *plan) error {
	switch {
	case !h.Same || !h.Sound:
		return &repo.Error{Kind: repo.Environment, Doing: "look for references", Err: ErrIncomplete}
	case h.Catalog != p.catalog || h.Index != p.index:
		return errOutdated
	}
	return nil
}

// Planning a look anew for each batch takes longer than running it, and no value of
// its parameters changes the plan. Every statement that follows in the transaction
// finds its rows by index whatever it is given.
const planOnceSQL = `SET LOCAL plan_cache_mode = force_generic_plan`

// Look is step 2 of the transaction.
func (db *DB) Look(ctx context.Context, t repo.Tx, ids []string) (repo.Look, error) {
	look := repo.Look{Referenced: map[string]repo.Reference{}, Unknown: map[string]bool{}}
	for _, id := range ids {
		if !mention.Searchable(mention.Token(id)) {
			look.Unknown[id] = true
		}
	}
	if _, err := pgxTx(t).Exec(ctx, planOnceSQL); err != nil {
		return look, pgerr.Translate(err, "look for references")
	}
	finder := mention.NewFinder(ids)
	err := db.withPlan(ctx, pgxTx(t), func(p *plan) error {
		h, err := p.scan(ctx, pgxTx(t), p.look, []any{db.looks.mode(), ids, db.schema, db.excluded}, func(part int, r *relation, row string, column int, text []byte) {
			switch part {
			case partUnknown:
				look.Unknown[string(text)] = true
			case partIndex:
				note(look.Referenced, string(text), repo.Reference{Table: r.label, Row: row})
			case partChanged:
				look.Changed += int64(len(text))
				r.find(finder, column, text, func(id string) {
					note(look.Referenced, id, repo.Reference{Table: r.label, Row: row, Column: r.columnName(column)})
				})
			}
		})
		look.Snapshot = h.Snapshot + " " + h.Catalog
		if err != nil {
			return err
		}
		if err := db.pending(ctx, pgxTx(t), p, &look); err != nil {
			return err
		}
		return db.verifyFree(ctx, pgxTx(t), p, &look, ids)
	})
	return look, err
}

// LookAgain is step 6: only what others committed since look. Tables that came
// since may hold older rows, and are no matter for this transaction.
func (db *DB) LookAgain(ctx context.Context, t repo.Tx, look repo.Look, deleted, gone []string) (map[string]repo.Reference, error) {
	appeared := map[string]repo.Reference{}
	finder := mention.NewFinder(deleted)
	snapshot, catalog, _ := strings.Cut(look.Snapshot, " ")
	err := db.withPlan(ctx, pgxTx(t), func(p *plan) error {
		if db.options.Strict && len(deleted) > 0 {
			// Another worker may have left an older plan since, without a table that
			// the look knew: nothing was committed since, and it would stay open.
			if p.catalog != catalog {
				return errOutdated
			}
			if same, err := p.keepOut(ctx, pgxTx(t), snapshot); err != nil || same {
				return err
			}
		}
		args := []any{db.looks.mode(), gone, db.schema, db.excluded, snapshot}
		h, err := p.scan(ctx, pgxTx(t), p.again, args, func(part int, r *relation, row string, column int, text []byte) {
			switch part {
			case partRow:
				note(appeared, string(text), repo.Reference{Table: "file", Row: string(text)})
			case partChanged:
				r.find(finder, column, text, func(id string) {
					note(appeared, id, repo.Reference{Table: r.label, Row: row, Column: r.columnName(column)})
				})
			}
		})
		if err == nil && h.Catalog != catalog {
			return &repo.Error{Kind: repo.Passing, Doing: "look for references", Err: errOutdated}
		}
		return err
	})
	return appeared, err
}

// note keeps the first reference of an id.
func note(found map[string]repo.Reference, id string, reference repo.Reference) {
	if _, known := found[id]; !known {
		found[id] = reference
	}
}

// column is one of those that count, or an empty one.
func (r *relation) column(num int) *column {
	for i := range r.columns {
		if r.columns[i].num == num {
			return &r.columns[i]
		}
	}
	return &column{}
}

func (r *relation) columnName(num int) string { return r.column(num).name }

// withPlan calls fn with the cached plan, and once more with a new one if that
// turns out to be outdated.
func (db *DB) withPlan(ctx context.Context, t pgx.Tx, fn func(*plan) error) error {
	if p := db.looks.get(); p != nil {
		if err := fn(p); !errors.Is(err, errOutdated) {
			return db.looks.learn(err, true)
		}
	}
	p, err := db.newPlan(ctx, t)
	if err != nil {
		return err
	}
	db.looks.set(p)
	if err := fn(p); !errors.Is(err, errOutdated) {
		return db.looks.learn(err, false)
	}
	return &repo.Error{Kind: repo.Passing, Doing: "look for references", Err: errOutdated}
}

// newPlan reads the tables and the index's own list of them, and refuses if the
// index does not cover each as it is.
func (db *DB) newPlan(ctx context.Context, t pgx.Tx) (*plan, error) {
	p := &plan{}
	err := t.QueryRow(ctx, `SELECT (`+catalogDigestSQL+`), (`+indexDigestSQL+`) WHERE $1::text[] IS NULL`,
		[]string(nil), db.schema, db.excluded).Scan(&p.catalog, &p.index)
	if err != nil {
		return nil, pgerr.Translate(err, "read the state of the reference index")
	}
	if p.relations, err = db.catalog(ctx, t); err != nil {
		return nil, err
	}
	if err := readIndexState(ctx, t, p.relations); err != nil {
		return nil, err
	}
	for _, r := range p.relations {
		if !r.readable {
			return nil, unreadable(r)
		}
		if r.indexed() && r.generation == 0 {
			return nil, &repo.Error{Kind: repo.Environment, Doing: "look for references in table " + r.String(), Err: ErrIncomplete}
		}
	}
	if err := db.refuseLost(ctx, t); err != nil {
		return nil, err
	}
	p.look, p.again = lookSQL(p.relations), againSQL(p.relations, db.table("file"))
	return p, nil
}

// readIndexState fills in what the index knows of the relations. A relation
// whose signature differs is as good as new.
func readIndexState(ctx context.Context, t pgx.Tx, relations []*relation) error {
	byOID := make(map[uint32]*relation, len(relations))
	for _, r := range relations {
		byOID[r.oid] = r
	}
	rows, _ := t.Query(ctx, `SELECT relid, id, signature, generation FROM pruned.relation`)
	var oid uint32
	var id, generation int
	var signature string
	_, err := pgx.ForEachRow(rows, []any{&oid, &id, &signature, &generation}, func() error {
		if r := byOID[oid]; r != nil && r.signature == signature {
			r.id, r.generation = id, generation
		}
		return nil
	})
	return pgerr.Translate(err, "read the state of the reference index")
}

// scan runs a look and calls yield with each row but the header. text is valid
// until yield returns: a chat may be 50 MB, and is never held twice.
func (p *plan) scan(ctx context.Context, t pgx.Tx, sql string, args []any, yield func(part int, r *relation, row string, column int, text []byte)) (*header, error) {
	h := &header{}
	rows, err := t.Query(ctx, sql, args...)
	if err != nil {
		return h, p.failed(err)
	}
	defer rows.Close()
	byID := map[int]*relation{}
	for _, r := range p.relations {
		byID[r.id] = r
	}
	for rows.Next() {
		var part, source, column int
		var row *string
		var text pgtype.DriverBytes
		if err := rows.Scan(&part, &source, &row, &column, &text); err != nil {
			return h, pgerr.Translate(err, "read what mentions files")
		}
		switch part {
		case partHeader:
			if err := json.Unmarshal(text, h); err != nil {
				return h, pgerr.Translate(err, "read the header of a look")
			}
		case partIndex:
			yield(part, byID[source], value(row), column, text)
		case partChanged:
			yield(part, p.relations[source], value(row), column, text)
		default:
			yield(part, nil, "", column, text)
		}
	}
	if err := rows.Err(); err != nil {
		return h, p.failed(err)
	}
	return h, h.check(p)
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
