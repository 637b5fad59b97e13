package refindex

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"pruned/repo/mention"
	"pruned/repo/postgres/pgerr"
)

// FindUnmentioned returns those of these ids, of files or names, that no living row
// mentions, as of the last pass. It reads what UpsertRowCandidates reads, but for these ids
// alone. What is not known, or not in full, is not among them.
func (ix *Index) FindUnmentioned(ctx context.Context, t pgx.Tx, ids []string) (free []string, err error) {
	if err := ix.requireSound(ctx, t); err != nil {
		return nil, err
	}
	err = ix.withPlan(ctx, t, ix.LastPlan.Load(), func(p *Plan) (err error) {
		if free, err = ReadColumn[string](ctx, t, unmentionedSQL(p.relations), ids); err != nil {
			return pgerr.Translate(err, "look which of %d names nothing mentions", len(ids))
		}
		for _, r := range p.relations {
			if !r.canIndex() && len(r.columns) > 0 && len(free) > 0 {
				if free, err = leaveOutMentioned(ctx, t, r, free); err != nil {
					return err
				}
			}
		}
		return requireUnchanged(ctx, t, p)
	})
	return free, err
}

// unmentionedSQL is one statement, so that index and rows are seen in one snapshot.
func unmentionedSQL(relations []*relation) string {
	var mentioned []string
	for _, r := range relations {
		if r.canIndex() && len(r.columns) > 0 {
			mentioned = append(mentioned, r.mentionedBySQL())
		}
	}
	return `
WITH unmentioned AS MATERIALIZED (
    SELECT k.file_id FROM pruned.known_file k
     WHERE k.file_id = ANY ($1::text[]) AND ` + toldSQL + `
)
SELECT file_id FROM unmentioned` + exceptSQL(mentioned)
}

// leaveOutMentioned leaves out what the living rows of a relation mention that the index
// cannot hold.
func leaveOutMentioned(ctx context.Context, t pgx.Tx, r *relation, free []string) ([]string, error) {
	x := &indexer{t: t, literals: mention.NewFinder(free)}
	mentioned := map[string]bool{}
	err := x.readUnindexable(ctx, r, func(tokens []string) error {
		for _, token := range tokens {
			mentioned[token] = true
		}
		return nil
	})
	return slices.DeleteFunc(free, func(id string) bool { return mentioned[mention.Token(id)] }), err
}
