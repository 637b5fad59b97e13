package refindex

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/postgres/pgerr"
)

// answerHeader is the first row of an answer.
type answerHeader struct {
	Snapshot   string
	Same       bool   // the index belongs to this database
	Catalog    string // of a recheck; empty where it is known, since nobody but us wrote
	Deletes    string // of a recheck and of FindIndexed, see deletesSQL; empty likewise
	Index      string
	Generation int
	Sound      bool
	Quiet      bool           // no changed row was read: there is none that lives
	Server     string         // see serverSQL
	Own        string         // our transaction's number, where it has one
	Marks      map[int]string // up to which the index is true, by the relation's number
}

// requireCurrent refuses an answer with this header where the index or the tables are not
// what the plan was made for.
func (h *answerHeader) requireCurrent(p *Plan) error {
	switch {
	case !h.Same || !h.Sound:
		return &repo.Error{Kind: repo.Environment, Doing: "look for references", Err: ErrIncomplete}
	case h.Index != p.index, h.Catalog != "" && h.Catalog != p.catalog:
		return errOutdated
	}
	return nil
}

// Planning a search anew for each batch takes longer than running it, and no value of its
// parameters changes the plan. Every statement that follows in the transaction finds its
// rows by index whatever it is given.
const planOnceSQL = `SET LOCAL plan_cache_mode = force_generic_plan`

// lookState is what a look leaves for the recheck; it is the Snapshot of repo.References.
type lookState struct {
	Catalog, Deletes string // of the plan
	// No row version was outside the index, or unread, at this snapshot of this server;
	// empty where that is not known.
	Snapshot, Server string
	// Known: the catalog was that of the plan at that snapshot.
	Known bool
	// Since is what the recheck reads from, by the relation's number in the index: the mark
	// up to which the index was asked. Of what the look read itself it is Began.
	Since map[int]string
	Began string // the first transaction that had not ended when the look began
	// Changed: the look read a row that the index does not cover.
	Changed bool

	At   string // the server on which the look was made
	Look string // its snapshot

	own uint64 // the transaction's number, zero where it has none yet
}

// newState is what every look leaves.
func newState(p *Plan, h *answerHeader) *lookState {
	return &lookState{Catalog: p.catalog, Deletes: p.deletes, Began: beginOf(h.Snapshot), own: toNumber(h.Own), At: h.Server, Look: h.Snapshot}
}

// FindReferences returns which of these ids, whose rows are locked, are mentioned by a
// living row, and of which nobody can tell.
func (ix *Index) FindReferences(ctx context.Context, t pgx.Tx, ids []string) (repo.References, error) {
	return ix.find(ctx, t, ids, func(p *Plan, look *repo.References) (*lookState, error) {
		return ix.readAll(ctx, t, p, look, ids)
	})
}

// FindIndexed is FindReferences without rows that changed since the index read them, but for
// those that may go with a file, or by which the index knows one. To the recheck the rest is
// the same as what appeared since: it reads from the marks that this statement sees, whatever
// passes do meanwhile. Where a deletion may take away more than keys tell, everything is read
// now.
func (ix *Index) FindIndexed(ctx context.Context, t pgx.Tx, ids []string) (repo.References, error) {
	return ix.find(ctx, t, ids, func(p *Plan, look *repo.References) (*lookState, error) {
		if !p.isPlain() {
			return ix.readAll(ctx, t, p, look, ids)
		}
		// Of a look that ended before this one begins: the index that this one asks held
		// already all that there was then.
		since := ix.quiet.since(p.index)
		h, changed, err := ix.runLook(ctx, t, p, p.findIndexed, look, ids, since)
		if err == nil && h.Deletes != "" && h.Deletes != p.deletes {
			err = errOutdated // a trigger, a rule or a key that the plan does not know
		}
		state := newState(p, h)
		state.Snapshot, state.Server, state.Since, state.Changed = since.snapshot, since.server, h.Marks, changed
		state.Known = since.isOf(p)
		return state, err
	})
}

// readAll reads also every row that the index does not cover.
func (ix *Index) readAll(ctx context.Context, t pgx.Tx, p *Plan, look *repo.References, ids []string) (*lookState, error) {
	since := ix.quiet.since(p.index)
	h, changed, err := ix.runLook(ctx, t, p, p.find, look, ids, since)
	if err == nil {
		ix.quiet.found(h, changed)
	}
	state := newState(p, h)
	state.Snapshot, state.Server = h.Snapshot, h.Server
	return state, err
}

// searchArgs are the arguments of a search (see lookParameters).
func (ix *Index) searchArgs(p *Plan, ids []string, since baseline) []any {
	return []any{ix.ExecMode(), ids, ix.Schema, since.snapshot, since.own, since.server, since.isOf(p)}
}

// runLook runs a statement, and says whether it read a row that the index does not cover.
func (ix *Index) runLook(ctx context.Context, t pgx.Tx, p *Plan, sql string, look *repo.References, ids []string, since baseline) (h *answerHeader, changed bool, err error) {
	finder := sync.OnceValue(func() *mention.Finder { return mention.NewFinder(ids) }) // mostly nothing is to be read
	h, err = p.runStatement(ctx, t, sql, ix.searchArgs(p, ids, since), func(a *answerRow) {
		switch a.part {
		case partUnknown:
			look.Unknown[string(a.text)] = true
		case partKept:
			keepFirst(look.Referenced, string(a.text), repo.Reference{Table: repo.KeptByHand, Row: string(a.text)})
		case partIndex:
			keepFirst(look.Referenced, string(a.text), a.toReference())
		case partChanged:
			changed = changed || a.relation.canIndex()
			look.Changed += int64(len(a.text))
			a.findIDs(finder(), func(id string) { keepFirst(look.Referenced, id, a.toReference()) })
		}
	})
	return h, changed, err
}

// beginOf returns the first transaction of a snapshot that had not ended.
func beginOf(snapshot string) string {
	first, _, _ := strings.Cut(snapshot, ":")
	return first
}

// endOf returns the first transaction that had not begun at a snapshot.
func endOf(snapshot string) string {
	_, rest, _ := strings.Cut(snapshot, ":")
	return beginOf(rest)
}

// find runs a look, and asks what every look asks besides.
func (ix *Index) find(ctx context.Context, t pgx.Tx, ids []string, run func(*Plan, *repo.References) (*lookState, error)) (repo.References, error) {
	look := repo.References{Referenced: map[string]repo.Reference{}, Unknown: map[string]bool{}}
	for _, id := range ids {
		if !mention.Searchable(mention.Token(id)) {
			look.Unknown[id] = true
		}
	}
	if _, err := t.Exec(ctx, planOnceSQL); err != nil {
		return look, pgerr.Translate(err, "look for references")
	}
	err := ix.withPlan(ctx, t, ix.LastPlan.Load(), func(p *Plan) error {
		state, err := run(p, &look)
		if err != nil {
			return err
		}
		// Long before the commit: a look of another worker's may begin meanwhile.
		ix.quiet.add(state.own, state.At)
		text, err := json.Marshal(state)
		if err != nil {
			return err
		}
		look.Snapshot = string(text)
		if err := ix.findWriters(ctx, t, p, &look); err != nil {
			return err
		}
		named, err := readNamed(ctx, t, &look, ids)
		if err == nil && state.Since != nil {
			err = p.findRewritten(ctx, t, &look, named)
		}
		if err == nil {
			err = p.findDeadLinks(ctx, t, &look, ids)
		}
		if err != nil {
			return err
		}
		return ix.verifyFree(ctx, t, p, &look, named)
	})
	return look, err
}

func keepFirst(found map[string]repo.Reference, id string, reference repo.Reference) {
	if _, known := found[id]; !known {
		found[id] = reference
	}
}

// answerRow is a row of an answer.
type answerRow struct {
	part     int
	relation *relation // whose row mentions something; nil in other parts
	row      string    // its key
	column   int       // its number; zero where the index was asked
	text     []byte
}

// toReference is the mention that the row holds.
func (a *answerRow) toReference() repo.Reference {
	return repo.Reference{Table: a.relation.label, Row: a.row, Column: a.relation.findColumn(a.column).name}
}

// findIDs calls yield with each id that counts in the text.
func (a *answerRow) findIDs(finder *mention.Finder, yield func(id string)) {
	a.relation.findColumn(a.column).eachCounted(a.text, func(part []byte) { finder.Find(part, yield) })
}

// findColumn returns the column of a number, or an empty one where it does not count.
func (r *relation) findColumn(num int) *column {
	for i := range r.columns {
		if r.columns[i].num == num {
			return &r.columns[i]
		}
	}
	return &column{}
}

// runStatement runs a search and calls yield with each row but the header. Its text is
// valid until yield returns: a chat may be 50 MB, and is never held twice.
func (p *Plan) runStatement(ctx context.Context, t pgx.Tx, sql string, args []any, yield func(*answerRow)) (*answerHeader, error) {
	h := &answerHeader{}
	rows, err := t.Query(ctx, sql, args...)
	if err != nil {
		return h, p.translateFailure(err)
	}
	defer rows.Close()
	byID := map[int]*relation{}
	for _, r := range p.relations {
		byID[r.id] = r
	}
	for rows.Next() {
		var source int
		var row *string
		a := &answerRow{}
		if err := rows.Scan(&a.part, &source, &row, &a.column, (*pgtype.DriverBytes)(&a.text)); err != nil {
			return h, pgerr.Translate(err, "read what mentions files")
		}
		if row != nil {
			a.row = *row
		}
		switch a.part {
		case partHeader:
			if err := json.Unmarshal(a.text, h); err != nil {
				return h, pgerr.Translate(err, "read the header of a look")
			}
			continue
		case partIndex:
			a.relation = byID[source]
		case partChanged, partDead, partLink:
			a.relation = p.relations[source]
		}
		yield(a)
	}
	if err := rows.Err(); err != nil {
		return h, p.translateFailure(err)
	}
	return h, h.requireCurrent(p)
}

// translateFailure translates the failure of a search, and names the foreign tables if one
// of their servers does not answer: the message names the server alone.
func (p *Plan) translateFailure(err error) error {
	err = pgerr.Translate(err, "look for references")
	var failed *repo.Error
	if !errors.As(err, &failed) || failed.SQLState != "08001" && !strings.HasPrefix(failed.SQLState, "HV") {
		return err
	}
	var foreign []string
	for _, r := range p.relations {
		if r.kind == "f" {
			foreign = append(foreign, r.String())
		}
	}
	if len(foreign) > 0 {
		failed.Doing += " in foreign tables (" + strings.Join(foreign, ", ") + ")"
	}
	return err
}
