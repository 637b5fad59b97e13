package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// Both run under the role's own search path, for the sake of triggers: they leave nothing
// to be resolved by it. DELETE has no RETURNING: a rule that turns it into something else,
// for one row of many, would forbid that.
const (
	pathsSQL  = `SELECT id, coalesce(path, '') FROM %s WHERE id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])`
	deleteSQL = `DELETE FROM %s WHERE id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])`
)

const forgetCandidatesSQL = `DELETE FROM pruned.candidate WHERE direction = 'row' AND file_id = ANY ($1::text[])`

// Delete removes rows of table file, which are locked, and the dead links to them that no
// foreign key removes: a living one that appeared after FindReferences is left for
// RecheckReferences. All is one round trip. The row count of DELETE, and that no row is
// left, are the only proof: a trigger that returns NULL, or a policy, deletes nothing and
// raises nothing. What goes to the trash is read from the locked rows before, in place of
// their paths.
func (db *DB) Delete(ctx context.Context, t repo.Tx, ids []string, keep time.Duration) (deleted []repo.Deleted, err error) {
	unbound, err := db.index.UnenforcedLinks(ctx, pgxTx(t))
	if err != nil {
		return nil, err
	}
	var went int64
	var left []string
	batch := &pgx.Batch{}
	readDeleted := func(rows pgx.Rows) error {
		deleted, err = pgx.CollectRows(rows, pgx.RowToStructByPos[repo.Deleted])
		return err
	}
	if keep > 0 {
		db.queueTrash(batch, ids, keep).Query(readDeleted)
	}
	batch.Queue(ownPath)
	for _, l := range unbound {
		if l.Dead != "" {
			batch.Queue(deadLinksSQL(l), ids)
		}
	}
	if keep <= 0 {
		batch.Queue(db.withFileTable(pathsSQL), ids).Query(readDeleted)
	}
	batch.Queue(db.withFileTable(deleteSQL), ids).Exec(func(tag pgconn.CommandTag) error {
		went = tag.RowsAffected()
		return nil
	})
	batch.Queue(safePath)
	batch.Queue(db.withFileTable(presentSQL), ids).Query(func(rows pgx.Rows) error {
		left, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	batch.Queue(forgetCandidatesSQL, ids)
	if err := pgxTx(t).SendBatch(ctx, batch).Close(); err != nil {
		return nil, pgerr.Translate(err, "delete %d rows of table file and the links to them", len(ids))
	}
	return deleted, requireDeleted(len(ids), int(min(went, int64(len(deleted)))), len(left))
}

// requireDeleted refuses a deletion of fewer rows than asked for, or one that left rows: a
// rule can replace DELETE by something that reports rows all the same, and a trigger can
// write them again.
func requireDeleted(asked, went, left int) (err error) {
	switch {
	case went != asked:
		err = fmt.Errorf("only %d went, without an error: a rule, a trigger or a policy prevents it", went)
	case left > 0:
		err = fmt.Errorf("%d are there afterwards, without an error: a rule or a trigger keeps them", left)
	default:
		return nil
	}
	return &repo.Error{Kind: repo.Permanent, Doing: fmt.Sprintf("delete %d rows of table file", asked), Err: err}
}

// deadLinksSQL deletes the dead links to the files $1.
func deadLinksSQL(l refindex.UnenforcedLinks) string {
	return `DELETE FROM ` + l.Table + ` t WHERE t.file_id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
   AND ` + l.Dead
}
