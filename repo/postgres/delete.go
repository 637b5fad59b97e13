package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
)

// linkTables are the application's own links to files. Their foreign keys
// cascade; in a database that was copied by hand they may be missing.
var linkTables = []string{"chat_file", "channel_file", "knowledge_file"}

// Delete is step 4 of the transaction. The number of rows that DELETE returns is
// the only proof: a trigger that returns NULL, or a policy, deletes nothing and
// raises nothing.
func (db *DB) Delete(ctx context.Context, t repo.Tx, ids []string) ([]repo.Deleted, error) {
	if err := db.deleteUnboundLinks(ctx, t, ids); err != nil {
		return nil, err
	}
	rows, _ := pgxTx(t).Query(ctx, db.sql(`DELETE FROM %s WHERE id = ANY ($1::text[]) RETURNING id, coalesce(path, '')`), ids)
	deleted, err := pgx.CollectRows(rows, pgx.RowToStructByPos[repo.Deleted])
	if err != nil {
		return nil, translate(err, "delete %d rows of table file", len(ids))
	}
	if len(deleted) != len(ids) {
		return nil, &repo.Error{Kind: repo.Permanent, Doing: fmt.Sprintf("delete %d rows of table file", len(ids)),
			Err: fmt.Errorf("only %d went, without an error: a trigger or a policy prevents it", len(deleted))}
	}
	_, err = pgxTx(t).Exec(ctx, `DELETE FROM pruned.candidate WHERE direction = 'row' AND file_id = ANY ($1::text[])`, ids)
	return deleted, translate(err, "forget %d candidates", len(ids))
}

// MissingForeignKeys lists the link tables that exist and have no foreign key to
// table file that cascades.
func (db *DB) MissingForeignKeys(ctx context.Context) ([]string, error) {
	rows, _ := db.pool.Query(ctx, unboundSQL, db.schema, linkTables)
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return missing, translate(err, "look for the foreign keys of the link tables")
}

const unboundSQL = `
SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = $1::text AND c.relname = ANY ($2::text[]) AND c.relkind IN ('r', 'p')
   AND NOT EXISTS (SELECT FROM pg_constraint k
                    WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confdeltype = 'c'
                      AND k.confrelid = to_regclass(format('%I.file', $1::text)))
 ORDER BY 1`

// deleteUnboundLinks removes the links that no foreign key removes. Only dead
// ones, whose parent is missing: a living one that appeared after the look is
// left for the last look to find.
func (db *DB) deleteUnboundLinks(ctx context.Context, t repo.Tx, ids []string) error {
	rows, _ := pgxTx(t).Query(ctx, unboundSQL, db.schema, linkTables)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return translate(err, "look for the foreign keys of the link tables")
	}
	for _, table := range tables {
		parent := strings.TrimSuffix(table, "_file")
		if _, err := pgxTx(t).Exec(ctx, `DELETE FROM `+db.table(table)+` l WHERE file_id = ANY ($1::text[])
			AND NOT EXISTS (SELECT FROM `+db.table(parent)+` p WHERE p.id = l.`+parent+`_id)`, ids); err != nil {
			return translate(err, "delete from table %s", table)
		}
	}
	return nil
}

// sql fills in the name of table file.
func (db *DB) sql(text string) string { return strings.ReplaceAll(text, "%s", db.table("file")) }
