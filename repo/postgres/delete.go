package postgres

import (
	"context"
	"fmt"

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

// Delete removes rows of table file and the links to them. The row count of DELETE, and
// that no row is left, are the only proof: a trigger that returns NULL, or a policy,
// deletes nothing and raises nothing.
func (db *DB) Delete(ctx context.Context, t repo.Tx, ids []string) ([]repo.Deleted, error) {
	unbound, err := db.index.UnenforcedLinks(ctx, pgxTx(t))
	if err != nil {
		return nil, err
	}
	if _, err := t.Exec(ctx, ownPath); err != nil {
		return nil, err
	}
	if err := deleteDeadLinks(ctx, t, unbound, ids); err != nil {
		return nil, err
	}
	deleted, err := db.deleteRows(ctx, pgxTx(t), ids)
	if err != nil {
		return nil, err
	}
	if _, err := t.Exec(ctx, safePath); err != nil {
		return nil, err
	}
	if err := db.requireDeleted(ctx, pgxTx(t), ids); err != nil {
		return nil, err
	}
	_, err = pgxTx(t).Exec(ctx, `DELETE FROM pruned.candidate WHERE direction = 'row' AND file_id = ANY ($1::text[])`, ids)
	return deleted, pgerr.Translate(err, "forget %d candidates", len(ids))
}

// deleteRows reads and deletes the rows, which are locked, in one round trip.
func (db *DB) deleteRows(ctx context.Context, t pgx.Tx, ids []string) (deleted []repo.Deleted, err error) {
	var went int64
	batch := &pgx.Batch{}
	batch.Queue(db.withFileTable(pathsSQL), ids).Query(func(rows pgx.Rows) error {
		deleted, err = pgx.CollectRows(rows, pgx.RowToStructByPos[repo.Deleted])
		return err
	})
	batch.Queue(db.withFileTable(deleteSQL), ids).Exec(func(tag pgconn.CommandTag) error {
		went = tag.RowsAffected()
		return nil
	})
	if err := t.SendBatch(ctx, batch).Close(); err != nil {
		return nil, pgerr.Translate(err, "delete %d rows of table file", len(ids))
	}
	if went = min(went, int64(len(deleted))); went != int64(len(ids)) {
		return nil, &repo.Error{Kind: repo.Permanent, Doing: fmt.Sprintf("delete %d rows of table file", len(ids)),
			Err: fmt.Errorf("only %d went, without an error: a rule, a trigger or a policy prevents it", went)}
	}
	return deleted, nil
}

// requireDeleted refuses a deletion that left rows: a rule can replace DELETE by something
// that reports rows all the same, and a trigger can write them again.
func (db *DB) requireDeleted(ctx context.Context, t pgx.Tx, ids []string) error {
	left, err := refindex.ReadColumn[string](ctx, t, db.withFileTable(presentSQL), ids)
	if err == nil && len(left) > 0 {
		return &repo.Error{Kind: repo.Permanent, Doing: fmt.Sprintf("delete %d rows of table file", len(ids)),
			Err: fmt.Errorf("%d are there afterwards, without an error: a rule or a trigger keeps them", len(left))}
	}
	return pgerr.Translate(err, "read table file")
}

// deleteDeadLinks removes the links that no foreign key removes. Only dead ones: a living
// one that appeared after FindReferences is left for RecheckReferences.
func deleteDeadLinks(ctx context.Context, t repo.Tx, links []refindex.UnenforcedLinks, ids []string) error {
	for _, l := range links {
		if l.Dead == "" {
			continue
		}
		if _, err := t.Exec(ctx, deadLinksSQL(l), ids); err != nil {
			return pgerr.Translate(err, "delete from table %s", l.Name)
		}
	}
	return nil
}

// deadLinksSQL deletes the dead links to the files $1.
func deadLinksSQL(l refindex.UnenforcedLinks) string {
	return `DELETE FROM ` + l.Table + ` t WHERE t.file_id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
   AND ` + l.Dead
}
