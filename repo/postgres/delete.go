package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// linkTables are the application's own links to files. Their foreign keys
// cascade; in a database that was copied by hand they may be missing, or declare
// what is not so.
var linkTables = []string{"chat_file", "channel_file", "knowledge_file"}

// Both run under the role's own search path, for the sake of triggers: they leave
// nothing to be resolved by it. DELETE returns nothing, since it may not where a rule
// has it do something else, though that be for one row of many.
const (
	takenSQL  = `SELECT id, coalesce(path, '') FROM %s WHERE id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])`
	deleteSQL = `DELETE FROM %s WHERE id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])`
)

// Delete is step 4 of the transaction. The number of rows that DELETE tells, and that
// none is left, are the only proof: a trigger that returns NULL, or a policy, deletes
// nothing and raises nothing.
func (db *DB) Delete(ctx context.Context, t repo.Tx, ids []string) ([]repo.Deleted, error) {
	unbound, err := db.unboundLinks(ctx, pgxTx(t))
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

// deleteRows asks for both in one round trip. The rows are locked.
func (db *DB) deleteRows(ctx context.Context, t pgx.Tx, ids []string) (deleted []repo.Deleted, err error) {
	var went int64
	batch := &pgx.Batch{}
	batch.Queue(db.sql(takenSQL), ids).Query(func(rows pgx.Rows) error {
		deleted, err = pgx.CollectRows(rows, pgx.RowToStructByPos[repo.Deleted])
		return err
	})
	batch.Queue(db.sql(deleteSQL), ids).Exec(func(tag pgconn.CommandTag) error {
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

// requireDeleted: a rule can make DELETE something else that returns rows all the
// same, a trigger can write them again.
func (db *DB) requireDeleted(ctx context.Context, t pgx.Tx, ids []string) error {
	left, err := readIDs(ctx, t, "file", db.sql(presentSQL), []any{ids})
	if err == nil && len(left) > 0 {
		return &repo.Error{Kind: repo.Permanent, Doing: fmt.Sprintf("delete %d rows of table file", len(ids)),
			Err: fmt.Errorf("%d are there afterwards, without an error: a rule or a trigger keeps them", len(left))}
	}
	return err
}

// MissingForeignKeys lists the link tables that exist and have no foreign key to
// table file that cascades in fact.
func (db *DB) MissingForeignKeys(ctx context.Context) (missing []string, err error) {
	err = db.read(ctx, func(t pgx.Tx) error {
		tables, err := db.unboundLinks(ctx, t)
		for _, table := range tables {
			missing = append(missing, table.name)
		}
		return err
	})
	return missing, err
}

// unboundSQL lists the link tables whose links do not go with their file, and the
// columns and parents without which they are dead.
var unboundSQL = `WITH RECURSIVE ` + linkedCTE + `
SELECT c.oid, c.relname::text, array_remove(array_agg(l.attname::text ORDER BY l.attname), NULL), array_remove(array_agg(l.parent::text ORDER BY l.attname), NULL)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN linked l ON l.relation = c.oid
 WHERE n.nspname = $1::text AND c.relname = ANY ($2::text[]) AND c.relkind IN ('r', 'p')
 GROUP BY c.oid, c.relname
HAVING bool_and(l.parent IS DISTINCT FROM 'file')
 ORDER BY c.relname`

func (db *DB) unboundLinks(ctx context.Context, t pgx.Tx) (tables []*relation, err error) {
	rows, _ := t.Query(ctx, unboundSQL, db.schema, linkTables)
	tables, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (*relation, error) {
		r := &relation{schema: db.schema}
		var columns, parents []string
		err := row.Scan(&r.oid, &r.name, &columns, &parents)
		for i := range columns {
			r.parents = append(r.parents, parent{db.schema, parents[i], columns[i], true})
		}
		return r, err
	})
	return tables, pgerr.Translate(err, "look for the foreign keys of the link tables")
}

// deleteDeadLinks removes the links that no foreign key removes. Only dead ones: a
// living one that appeared after the look is left for the last look to find.
func deleteDeadLinks(ctx context.Context, t repo.Tx, tables []*relation, ids []string) error {
	for _, r := range tables {
		if len(r.parents) == 0 {
			continue
		}
		if _, err := t.Exec(ctx, `DELETE FROM `+r.quoted()+` t WHERE t.file_id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
			AND NOT (true`+r.alive()+`)`, ids); err != nil {
			return pgerr.Translate(err, "delete from table %s", r.name)
		}
	}
	return nil
}

// sql fills in the name of table file.
func (db *DB) sql(text string) string { return strings.ReplaceAll(text, "%s", db.table("file")) }
