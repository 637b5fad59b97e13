package refindex

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// UpsertRowCandidates makes the candidates among rows those that no living row mentions,
// as of the last pass. Later changes are no matter: the handler of an event searches
// again. It reads keys, and the text only of tables that the index cannot hold. The
// statement insert adds those of the set fresh, which are no candidates yet.
func (ix *Index) UpsertRowCandidates(ctx context.Context, t pgx.Tx, insert string) error {
	if err := ix.requireSound(ctx, t); err != nil {
		return err
	}
	p, err := ix.newPlan(ctx, t)
	if err != nil {
		return err
	}
	if _, err := t.Exec(ctx, rowCandidatesSQL(p.relations)+insert); err != nil {
		return pgerr.Translate(err, "mark the files that nothing mentions")
	}
	x, err := newIndexer(ctx, t)
	if err != nil {
		return err
	}
	for _, r := range p.relations {
		if !r.canIndex() && len(r.columns) > 0 {
			if err := x.dropMentioned(ctx, r); err != nil {
				return err
			}
		}
	}
	return requireUnchanged(ctx, t, p)
}

// requireSound refuses an index that is another database's.
func (ix *Index) requireSound(ctx context.Context, t pgx.Tx) error {
	var same bool
	err := t.QueryRow(ctx, `SELECT identity = `+identitySQL+` AND (`+soundSQL+`) FROM pruned.state`, ix.catalogArgs(nil)).Scan(&same)
	if err == nil && !same {
		return &repo.Error{Kind: repo.Environment, Doing: "mark the files that nothing mentions", Err: ErrIncomplete}
	}
	return pgerr.Translate(err, "read the state of the reference index")
}

// requireUnchanged refuses candidates that were found by the numbers of tables that have
// others by now: a pass may have begun anew meanwhile.
func requireUnchanged(ctx context.Context, t pgx.Tx, p *Plan) error {
	var index string
	err := t.QueryRow(ctx, indexDigestSQL).Scan(&index)
	if err == nil && index != p.index {
		return &repo.Error{Kind: repo.Passing, Doing: "mark the files that nothing mentions", Err: errOutdated}
	}
	return pgerr.Translate(err, "read the state of the reference index")
}

// KnownSQL is the condition that k is a file, and that every mention of it would be known,
// if there were any.
const KnownSQL = `NOT k.is_name AND ` + toldSQL

// toldSQL is the condition that every mention of k, a file or a name, would be known.
const toldSQL = `k.generation <= (SELECT min(generation) FROM pruned.relation)
       AND (NOT k.literal OR (SELECT` + searchableSQL + ` FROM (SELECT k.token) t))`

// rowCandidatesSQL begins a statement that is one, so that index and rows are seen in one
// snapshot. First it puts aside the files that a link or a row without parents mentions, which
// are nearly all; only for the rest it asks for the parents of each row. Sets are subtracted,
// and not by anti joins: an estimate that is far out then costs little. An id that no search
// finds (mention.Searchable) is always kept, and what somebody keeps until that ends.
func rowCandidatesSQL(relations []*relation) string {
	var first, bound []string
	for _, r := range relations {
		switch {
		case !r.canIndex() || len(r.columns) == 0:
		case r.needsOpener, len(r.parents) > 0 && !slices.Contains(linkTables, r.name):
			bound = append(bound, r.mentionedBySQL())
		default:
			first = append(first, r.allMentionedSQL())
		}
	}
	return `
WITH unmentioned AS MATERIALIZED (
    SELECT k.file_id FROM pruned.known_file k
     WHERE ` + KnownSQL + exceptSQL(first) + `
), free AS MATERIALIZED (
    SELECT file_id FROM unmentioned` + exceptSQL(bound) + `
    EXCEPT SELECT file_id FROM pruned.keep WHERE ` + KeptSQL + `
), known AS (
    SELECT file_id FROM pruned.candidate WHERE direction = 'row'
), mentioned AS (
    DELETE FROM pruned.candidate WHERE direction = 'row'
       AND file_id IN (SELECT file_id FROM known EXCEPT SELECT file_id FROM free)
), fresh AS (
    SELECT file_id FROM free EXCEPT SELECT file_id FROM known
)`
}

// livingSQL joins the rows of the relation that live to the references by them.
func (r *relation) livingSQL() string {
	return fmt.Sprintf("JOIN ONLY %s t ON %s WHERE r.source = %d%s", r.quotedName(), r.keyIs("r.row_id"), r.id, r.aliveSQL())
}

// mentionedBySQL finds those of the set unmentioned that a living row of the relation
// mentions.
func (r *relation) mentionedBySQL() string {
	return "SELECT r.file_id FROM unmentioned u JOIN pruned.reference r ON r.file_id = u.file_id " + r.livingSQL()
}

// allMentionedSQL finds all that living rows of the relation mention. It has the conditions of
// hasParentsSQL in a form in which whole tables are joined: to look up the parent of each of as
// many links as there are files takes several times as long.
func (r *relation) allMentionedSQL() string {
	var joins, where strings.Builder
	for i, p := range r.parents {
		column := "t." + QuoteName(p.column)
		fmt.Fprintf(&joins, " LEFT JOIN %s p%d ON p%d.id OPERATOR(pg_catalog.=) %s", p.quotedName(), i, i, column)
		fmt.Fprintf(&where, " AND (%s IS NULL OR p%d.id IS NOT NULL", column, i)
		if p.enforced {
			fmt.Fprintf(&where, " OR NOT EXISTS (SELECT FROM %s)", p.quotedName())
		}
		where.WriteString(")")
	}
	return fmt.Sprintf("SELECT r.file_id FROM pruned.reference r JOIN ONLY %s t ON %s%s WHERE r.source = %d%s",
		r.quotedName(), r.keyIs("r.row_id"), &joins, r.id, &where)
}

func exceptSQL(queries []string) string {
	if len(queries) == 0 {
		return ""
	}
	return "\n    EXCEPT (\n    " + strings.Join(queries, "\n     UNION ALL\n    ") + ")"
}

// dropMentionedSQL deletes the candidates of the tokens $1, which come in sets of a fixed
// size.
const dropMentionedSQL = `
DELETE FROM pruned.candidate c USING pruned.known_file k
 WHERE k.token = ANY ($1::text[]) AND c.file_id = k.file_id AND c.direction = 'row'`

// dropMentioned deletes the candidates that the living rows of a relation mention.
func (x *indexer) dropMentioned(ctx context.Context, r *relation) error {
	return x.readUnindexable(ctx, r, func(tokens []string) error {
		_, err := x.t.Exec(ctx, dropMentionedSQL, tokens)
		return pgerr.Translate(err, "forget the candidates that table %s mentions", r)
	})
}

// readUnindexable reads the living rows of a relation that the index cannot hold, as each
// sweep has to, and calls yield with the tokens of what they mention, many at a time.
func (x *indexer) readUnindexable(ctx context.Context, r *relation, yield func(tokens []string) error) error {
	if _, err := x.t.Exec(ctx, r.cursorSQL("NULL::text", "''::text", "true"+r.aliveSQL())); err != nil {
		return pgerr.Translate(err, "read table %s", r)
	}
	page := newPageBuffer(r, nil, nil)
	for more := true; more; {
		var err error
		if more, err = x.fetchRows(ctx, page); err != nil {
			return err
		}
		if more && !page.isFull() {
			continue
		}
		if err := yield(page.tokens); err != nil {
			return err
		}
		page.clearRows()
	}
	_, err := x.t.Exec(ctx, "CLOSE pruned_read")
	return pgerr.Translate(err, "close a cursor")
}
