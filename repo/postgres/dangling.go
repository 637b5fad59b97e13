package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"pruned/repo"
	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// danglingColumnsSQL lists the columns that our role may read of tables that are no views,
// as table.column.
const danglingColumnsSQL = `
SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relnamespace = to_regnamespace(quote_ident($1::text)) AND c.relname = ANY ($2::text[]) AND c.relkind IN ('r', 'p')
   AND has_table_privilege(c.oid, 'SELECT')`

// danglingLinks are the links of a table that this revision of the application has.
func (db *DB) danglingLinks(ctx context.Context, t repo.Tx, table string) (links []openwebui.Parent, err error) {
	tables := []string{table}
	for _, p := range openwebui.Dangling {
		if p.Child == table {
			links, tables = append(links, p), append(tables, p.Table)
		}
	}
	columns, err := refindex.ReadColumn[string](ctx, pgxTx(t), danglingColumnsSQL, db.schema, tables)
	return slices.DeleteFunc(links, func(p openwebui.Parent) bool {
		return !slices.Contains(columns, p.Child+".id") || !slices.Contains(columns, p.Child+"."+p.Column) || !slices.Contains(columns, p.Table+"."+p.Key)
	}), pgerr.Translate(err, "look for table %s", table)
}

// danglingSQL is the condition that a parent of row t is gone.
func (db *DB) danglingSQL(links []openwebui.Parent) string {
	var conditions []string
	for _, p := range links {
		conditions = append(conditions, db.parentGoneSQL(p))
	}
	return "(" + strings.Join(conditions, " OR ") + ")"
}

// parentGoneSQL is that of one parent. It compares texts, whatever types a migration by hand
// has made of them, and resolves nothing by a search path: a DELETE runs under the role's own.
func (db *DB) parentGoneSQL(p openwebui.Parent) string {
	column, parent, key := columnText(p.Column), db.quotedTable(p.Table), refindex.QuoteName(p.Key)
	return column + ` IS NOT NULL AND EXISTS (SELECT FROM ` + parent + `)
   AND NOT EXISTS (SELECT FROM ` + parent + ` p WHERE p.` + key + `::pg_catalog.text OPERATOR(pg_catalog.=) ` + column + `)`
}

// countDanglingSQL counts the rows of a table, and those without a parent. Each parent is asked
// for by itself, so that PostgreSQL joins the tables and does not look up each row.
func (db *DB) countDanglingSQL(table string, links []openwebui.Parent) string {
	var orphaned []string
	for _, p := range links {
		orphaned = append(orphaned, `SELECT t.tableoid, t.ctid FROM `+db.quotedTable(table)+` t WHERE `+db.parentGoneSQL(p))
	}
	return `SELECT (SELECT count(*) FROM (` + strings.Join(orphaned, " UNION ") + `) d), (SELECT count(*) FROM ` + db.quotedTable(table) + `)`
}

// columnText is a column of row t as text.
func columnText(column string) string { return "t." + refindex.QuoteName(column) + "::pg_catalog.text" }

// CountDangling counts the rows of each table, and those without a parent.
func (db *DB) CountDangling(ctx context.Context, t repo.Tx) (counts []repo.DanglingCount, err error) {
	for _, table := range openwebui.DanglingTables {
		links, err := db.danglingLinks(ctx, t, table)
		if err != nil {
			return nil, err
		}
		if len(links) == 0 {
			continue
		}
		count := repo.DanglingCount{Table: table}
		if err := pgxTx(t).QueryRow(ctx, db.countDanglingSQL(table, links)).Scan(&count.Found, &count.Total); err != nil {
			return nil, pgerr.Translate(err, "count the rows of table %s", table)
		}
		counts = append(counts, count)
	}
	return counts, nil
}

// ListDangling lists rows of a table without a parent, in the order of their ids.
func (db *DB) ListDangling(ctx context.Context, t repo.Tx, table, after string, limit int) ([]string, error) {
	links, err := db.danglingLinks(ctx, t, table)
	if err != nil || len(links) == 0 {
		return nil, err
	}
	ids, err := refindex.ReadColumn[string](ctx, pgxTx(t), `SELECT t.id::text FROM `+db.quotedTable(table)+` t
		WHERE t.id::text > $1::text AND `+db.danglingSQL(links)+` ORDER BY t.id::text LIMIT $2::int`, after, limit)
	return ids, pgerr.Translate(err, "list rows of table %s", table)
}

// RemoveDangling removes those of these rows that are without a parent still. That there is
// none is asked once more of the parent's table itself, since an index may be blind.
func (db *DB) RemoveDangling(ctx context.Context, t repo.Tx, table string, ids []string) (removed int64, err error) {
	t.(tx).countAsForeign()
	links, err := db.danglingLinks(ctx, t, table)
	if err != nil {
		return 0, err
	}
	from := ` FROM ` + db.quotedTable(table) + ` t WHERE t.id::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])`
	batch := &pgx.Batch{}
	batch.Queue(ownPath)
	for _, p := range links {
		alone := []openwebui.Parent{p}
		parents, err := refindex.ReadColumn[string](ctx, pgxTx(t), `SELECT DISTINCT `+columnText(p.Column)+from+` AND `+db.danglingSQL(alone), ids)
		if err != nil {
			return 0, pgerr.Translate(err, "read rows of table %s", table)
		}
		if len(parents) == 0 {
			continue
		}
		came, err := db.index.FindUnindexed(ctx, pgxTx(t), p.Table, `SELECT `+refindex.QuoteName(p.Key)+`::text FROM `+db.quotedTable(p.Table)+`
			WHERE `+refindex.QuoteName(p.Key)+`::text = ANY ($1::text[])`, parents)
		if err != nil {
			return 0, err
		}
		batch.Queue(`DELETE`+from+` AND `+columnText(p.Column)+` OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.text[])
   AND `+db.danglingSQL(alone), ids, withoutThese(parents, came)).Exec(func(tag pgconn.CommandTag) error {
			removed += tag.RowsAffected()
			return nil
		})
	}
	batch.Queue(safePath)
	err = pgxTx(t).SendBatch(ctx, batch).Close()
	return removed, pgerr.Translate(err, "delete from table %s", table)
}
