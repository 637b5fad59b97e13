package refindex

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

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
	Catalog    string // of a recheck
	Index      string
	Generation int
	Sound      bool
	Server     string // see serverSQL
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

// FindReferences returns which of these ids, whose rows are locked, are mentioned by a
// living row, and of which nobody can tell.
func (ix *Index) FindReferences(ctx context.Context, t pgx.Tx, ids []string) (repo.References, error) {
	look := repo.References{Referenced: map[string]repo.Reference{}, Unknown: map[string]bool{}}
	for _, id := range ids {
		if !mention.Searchable(mention.Token(id)) {
			look.Unknown[id] = true
		}
	}
	if _, err := t.Exec(ctx, planOnceSQL); err != nil {
		return look, pgerr.Translate(err, "look for references")
	}
	finder := mention.NewFinder(ids)
	err := ix.withPlan(ctx, t, ix.LastPlan.Load(), func(p *Plan) error {
		var changed bool
		snapshot, own, server := ix.quiet.since(p)
		h, err := p.runStatement(ctx, t, p.find, []any{ix.ExecMode(), ids, ix.Schema, snapshot, own, server}, func(a *answerRow) {
			switch a.part {
			case partUnknown:
				look.Unknown[string(a.text)] = true
			case partIndex:
				keepFirst(look.Referenced, string(a.text), a.toReference())
			case partChanged:
				changed = changed || a.relation.canIndex()
				look.Changed += int64(len(a.text))
				a.findIDs(finder, func(id string) { keepFirst(look.Referenced, id, a.toReference()) })
			}
		})
		look.Snapshot = h.Snapshot + " " + p.catalog
		if err != nil {
			return err
		}
		ix.quiet.found(p, h, changed)
		if err := ix.findWriters(ctx, t, p, &look); err != nil {
			return err
		}
		if err := p.findDeadLinks(ctx, t, &look, ids); err != nil {
			return err
		}
		return ix.verifyFree(ctx, t, p, &look, ids)
	})
	return look, err
}

// RecheckReferences returns only what others committed since look: mentions, and what made
// a row live again that mentions a file. Tables that came since
// may hold older rows, and are no matter for this transaction.
func (ix *Index) RecheckReferences(ctx context.Context, t pgx.Tx, look repo.References, deleted, gone []string) (map[string]repo.Reference, error) {
	appeared := map[string]repo.Reference{}
	finder := mention.NewFinder(deleted)
	snapshot, catalog, _ := strings.Cut(look.Snapshot, " ")
	err := ix.withPlan(ctx, t, ix.LastPlan.Load(), func(p *Plan) error {
		// Another worker may have left another plan since.
		if p.catalog != catalog {
			return errOutdated
		}
		if ix.Strict && len(deleted) > 0 {
			if err := p.lockWriters(ctx, t); err != nil {
				return err
			}
		}
		args := []any{ix.ExecMode(), gone, ix.Schema, ix.Excluded, snapshot, ix.quiet.ours()}
		if p.revives() {
			files, owners := splitLinks(look.DeadLinks, deleted)
			args = append(args, deleted, files, owners)
		}
		_, err := p.runStatement(ctx, t, p.recheck, args, func(a *answerRow) {
			switch a.part {
			case partIndex, partLink:
				keepFirst(appeared, string(a.text), a.toReference())
			case partRow:
				keepFirst(appeared, string(a.text), repo.Reference{Table: "file", Row: string(a.text)})
			case partChanged:
				a.findIDs(finder, func(id string) { keepFirst(appeared, id, a.toReference()) })
			}
		})
		return err
	})
	return appeared, err
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
		case partChanged, partLink:
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
