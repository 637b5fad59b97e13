package refindex

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// UpsertRowCandidates makes the candidates among rows those that no living row mentions,
// as of the last pass. Later changes are no matter: the handler of an event searches
// again. It reads keys, and the text only of tables that the index cannot hold.
func (ix *Index) UpsertRowCandidates(ctx context.Context, t pgx.Tx) error {
	if err := ix.requireSound(ctx, t); err != nil {
		return err
	}
	p, err := ix.newPlan(ctx, t)
	if err != nil {
		return err
	}
	if _, err := t.Exec(ctx, rowCandidatesSQL(p.relations)); err != nil {
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

// KnownSQL is the condition that every mention of file k would be known, if there
// were any.
const KnownSQL = `k.generation <= (SELECT min(generation) FROM pruned.relation)
       AND (NOT k.literal OR (SELECT` + searchableSQL + ` FROM (SELECT k.token) t))`

// rowCandidatesSQL is one statement, so that index and rows are seen in one snapshot.
// First it puts aside the files that a row without parents mentions, which are nearly all;
// only for the rest it joins parents. Sets are subtracted, and not by anti joins: an
// estimate that is far out then costs little. An id that no search finds
// (mention.Searchable) is always kept.
func rowCandidatesSQL(relations []*relation) string {
	var alone, bound []string
	for _, r := range relations {
		if !r.canIndex() || len(r.columns) == 0 {
			continue
		}
		living := fmt.Sprintf("JOIN ONLY %s t ON %s WHERE r.source = %d%s", r.quotedName(), r.keyIs("r.row_id"), r.id, r.aliveSQL())
		if len(r.parents) == 0 {
			alone = append(alone, "SELECT r.file_id FROM pruned.reference r "+living)
		} else {
			bound = append(bound, "SELECT r.file_id FROM unmentioned u JOIN pruned.reference r ON r.file_id = u.file_id "+living)
		}
	}
	return `
WITH unmentioned AS MATERIALIZED (
    SELECT k.file_id FROM pruned.known_file k
     WHERE ` + KnownSQL + exceptSQL(alone) + `
), free AS MATERIALIZED (
    SELECT file_id FROM unmentioned` + exceptSQL(bound) + `
), known AS (
    SELECT file_id FROM pruned.candidate WHERE direction = 'row'
), mentioned AS (
    DELETE FROM pruned.candidate WHERE direction = 'row'
       AND file_id IN (SELECT file_id FROM known EXCEPT SELECT file_id FROM free)
)
INSERT INTO pruned.candidate (file_id, direction)
SELECT file_id, 'row' FROM (SELECT file_id FROM free EXCEPT SELECT file_id FROM known) fresh
    ON CONFLICT DO NOTHING`
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

// dropMentioned reads a relation that the index cannot hold, as each sweep has to, and
// deletes the candidates that its living rows mention.
func (x *indexer) dropMentioned(ctx context.Context, r *relation) error {
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
		if _, err := x.t.Exec(ctx, dropMentionedSQL, page.tokens); err != nil {
			return pgerr.Translate(err, "forget the candidates that table %s mentions", r)
		}
		page.clearRows()
	}
	_, err := x.t.Exec(ctx, "CLOSE pruned_read")
	return pgerr.Translate(err, "close a cursor")
}
