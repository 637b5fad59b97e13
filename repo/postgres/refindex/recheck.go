package refindex

import (
	"cmp"
	"context"
	"encoding/json"
	"sync"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/postgres/pgerr"
)

// RecheckReferences returns only what others committed since found, or what that left
// unread: mentions, and what made a row live again that mentions a file. Tables that came
// since may hold older rows, and are no matter for this transaction.
func (ix *Index) RecheckReferences(ctx context.Context, t pgx.Tx, found repo.References, ids, gone []string) (repo.Appeared, error) {
	appeared := repo.Appeared{References: map[string]repo.Reference{}}
	var state lookState
	if err := json.Unmarshal([]byte(found.Snapshot), &state); err != nil {
		return appeared, pgerr.Translate(err, "read what the look for references left")
	}
	err := ix.withPlan(ctx, t, ix.LastPlan.Load(), func(p *Plan) error {
		// Another worker may have left another plan since.
		if p.catalog != state.Catalog || state.Since != nil && p.deletes != state.Deletes {
			return errOutdated
		}
		if ix.Strict && len(ids) > 0 {
			if err := p.lockWriters(ctx, t); err != nil {
				return err
			}
		}
		until, number := "", 0
		if state.Since != nil {
			until, number = ix.readings.startRecheck(p, &state, ids)
		}
		since, known := p.since(&state, until)
		if !known {
			return errOutdated
		}
		var changed bool
		read := func(a *answerRow) {
			ix.readings.remember(number, a)
			changed = changed || a.part == partChanged && a.relation.canIndex()
		}
		h, err := p.runStatement(ctx, t, p.recheck, ix.recheckArgs(p, &state, since, found.DeadLinks, ids, gone), appearedRows(&appeared, ids, read))
		if err != nil || state.Since == nil {
			return err
		}
		if h.Deletes != "" && h.Deletes != state.Deletes {
			return errOutdated
		}
		h.Catalog, h.Deletes = p.catalog, p.deletes // also where nothing was asked, since nobody wrote
		changed = ix.readings.endRecheck(number, h) || changed
		// Of tables that the look read this one knows as of the look alone: since then a dead link
		// may live again, also one that went in our transaction and comes back with its rollback.
		h.Snapshot = state.Look
		ix.quiet.found(h, changed || state.Changed || len(appeared.References) > 0)
		return nil
	})
	return appeared, err
}

// recheckArgs are the arguments of a recheck (see lookParameters).
func (ix *Index) recheckArgs(p *Plan, state *lookState, since []string, deadLinks [][2]string, ids, gone []string) []any {
	own := []string{} // where a trigger may write, another worker's rows are like anybody's
	if p.isPlain() {
		own = ix.quiet.ours(state.Snapshot, state.Server)
	}
	args := []any{ix.ExecMode(), gone, ix.Schema, ix.Excluded, state.Snapshot, own, state.Server, since, state.Known}
	if p.revives() {
		files, owners := splitLinks(deadLinks, ids)
		args = append(args, ids, files, owners)
	}
	return args
}

// appearedRows takes each row of a recheck's answer. read is called with those that hold a text.
func appearedRows(appeared *repo.Appeared, ids []string, read func(*answerRow)) func(*answerRow) {
	finder := sync.OnceValue(func() *mention.Finder { return mention.NewFinder(ids) }) // mostly nothing is to be read
	return func(a *answerRow) {
		switch a.part {
		case partIndex, partLink:
			keepFirst(appeared.References, string(a.text), a.toReference())
		case partRow:
			keepFirst(appeared.References, string(a.text), repo.Reference{Table: "file", Row: string(a.text)})
		case partChanged, partDead:
			appeared.Changed += int64(len(a.text))
			read(a)
			if a.part == partChanged {
				a.findIDs(finder(), func(id string) { keepFirst(appeared.References, id, a.toReference()) })
			}
		}
	}
}

// since lists from where the rows of each relation of the plan are read, given up to where
// earlier rechecks have read.
func (p *Plan) since(state *lookState, until string) (list []string, known bool) {
	for _, r := range p.relations {
		from := state.Began
		if state.Since != nil && !r.isReadFirst() {
			if from = state.Since[r.id]; from == "" {
				return nil, false
			}
			from = cmp.Or(until, from)
		}
		list = append(list, from)
	}
	return list, true
}
