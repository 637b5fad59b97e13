package refindex

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// An index that is not in order does not find rows that are there: one whose collation
// changed below it, or one that was not ready while rows were written. Of all answers only
// "there is none" is dangerous, so that it is asked once more of the table itself before
// anything is deleted.

const (
	withoutIndexes = `SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off`
	withIndexes    = `SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL enable_indexscan TO DEFAULT; SET LOCAL enable_indexonlyscan TO DEFAULT; SET LOCAL enable_bitmapscan TO DEFAULT`
)

// tableQuery is a query, which answers with ids, of one table.
type tableQuery struct {
	table, sql string
	args       []any
}

// FindUnindexed runs a query for ids of one table without its indexes. It returns ids that
// came meanwhile; rows that the indexes do not find are an error.
func (ix *Index) FindUnindexed(ctx context.Context, t pgx.Tx, table, sql string, args ...any) ([]string, error) {
	q := &tableQuery{table, sql, args}
	came, err := q.readUnindexed(ctx, t)
	if errors.Is(err, errBlindIndex) {
		ix.blind.Store(q)
	}
	return came, err
}

// askBlind runs the last query again that an index answered wrongly. Until it answers it
// rightly nothing can be deleted: the files of one batch show what holds for all. Its
// table may have been dropped, or changed, meanwhile.
func (ix *Index) askBlind(ctx context.Context, t pgx.Tx) error {
	q := ix.blind.Load()
	if q == nil {
		return nil
	}
	_, err := q.readUnindexed(ctx, t)
	if errors.Is(err, errBlindIndex) || repo.KindOf(err) == repo.Passing || repo.KindOf(err) == repo.Unknown {
		return err
	}
	ix.blind.CompareAndSwap(q, nil)
	return nil
}

var errBlindIndex = errors.New("an index does not find rows that are there; nothing is deleted until it does: REINDEX DATABASE CONCURRENTLY; (without a name, in this database)")

// readUnindexed runs the query without indexes. Rows that it finds, and that the indexes do
// not find afterwards either, did not just come.
func (q *tableQuery) readUnindexed(ctx context.Context, t pgx.Tx) (came []string, err error) {
	if _, err := t.Exec(ctx, withoutIndexes); err != nil {
		return nil, pgerr.Translate(err, "read table %s", q.table)
	}
	found, err := ReadColumn[string](ctx, t, q.sql, q.args...)
	if err == nil {
		_, err = t.Exec(ctx, withIndexes)
	}
	if err == nil && len(found) > 0 {
		came, err = ReadColumn[string](ctx, t, q.sql, q.args...)
	}
	if err == nil && len(came) < len(found) {
		err = &repo.Error{Kind: repo.Environment, Doing: "read table " + q.table, Err: errBlindIndex}
	}
	if err != nil {
		return nil, pgerr.Translate(err, "read table %s", q.table)
	}
	return came, nil
}

// verifyFree searches the tables themselves for the rows by which the index knows files
// for which no index of theirs has found a living row: of a file that was never mentioned
// there is none, and of others few until vanished rows are deleted.
func (ix *Index) verifyFree(ctx context.Context, t pgx.Tx, p *Plan, look *repo.References, named namedRows) error {
	for _, r := range p.relations {
		pairs := named.ofFree(r, look)
		if len(pairs.files) == 0 {
			continue
		}
		came, err := ix.FindUnindexed(ctx, t, r.String(), r.livingRowsSQL(), pairs.files, pairs.rows)
		if err != nil {
			return err
		}
		for _, id := range came {
			keepFirst(look.Referenced, id, repo.Reference{Table: r.label})
		}
	}
	return nil
}

// livingRowsSQL finds which of the files $1 are mentioned by living rows $2 that did not
// change since the index read them.
func (r *relation) livingRowsSQL() string {
	return fmt.Sprintf(`SELECT u.file_id FROM unnest($1::text[], $2::text[]) u (file_id, row_id) JOIN ONLY %s t ON %s WHERE age(t.xmin) > (SELECT age(%s))%s`,
		r.quotedName(), r.keyIs("u.row_id"), r.markSQL(), r.aliveSQL())
}
