package sqlite

import (
	"context"
	"slices"
	"strings"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// danglingColumnsSQL lists the columns of tables that are no views, as table.column.
const danglingColumnsSQL = `SELECT m.name || '.' || c.name FROM main.sqlite_schema m, pragma_table_info(m.name, 'main') c
	WHERE m.type = 'table' AND m.rootpage > 0 AND m.name IN (SELECT value FROM json_each(?1))`

// danglingLinks are the links of a table that this revision of the application has.
func danglingLinks(ctx context.Context, q querier, table string) (links []openwebui.Parent, err error) {
	tables := []string{table}
	for _, p := range openwebui.Dangling {
		if p.Child == table {
			links, tables = append(links, p), append(tables, p.Table)
		}
	}
	columns, err := querySet(ctx, q, danglingColumnsSQL, jsonList(tables))
	return slices.DeleteFunc(links, func(p openwebui.Parent) bool {
		return !columns[p.Child+".id"] || !columns[p.Child+"."+p.Column] || !columns[p.Table+"."+p.Key]
	}), translate(err, "look for table %s", table)
}

// danglingSQL is the condition that a parent of row t is gone.
func danglingSQL(links []openwebui.Parent) string {
	var conditions []string
	for _, p := range links {
		column, parent, key := "t."+quoteIdent(p.Column), "main."+quoteIdent(p.Table), quoteIdent(p.Key)
		conditions = append(conditions, column+` IS NOT NULL AND EXISTS (SELECT 1 FROM `+parent+`)
			AND NOT EXISTS (SELECT 1 FROM `+parent+` p WHERE p.`+key+` = `+column+`)`)
	}
	return "(" + strings.Join(conditions, " OR ") + ")"
}

// CountDangling counts the rows of each table, and those without a parent.
func (db *DB) CountDangling(ctx context.Context, t repo.Tx) (counts []repo.DanglingCount, err error) {
	q := sweepView{sqliteTx(t)}
	for _, table := range openwebui.DanglingTables {
		links, err := danglingLinks(ctx, q, table)
		if err != nil {
			return nil, err
		}
		if len(links) == 0 {
			continue
		}
		count := repo.DanglingCount{Table: table}
		query := `SELECT count(*) FILTER (WHERE ` + danglingSQL(links) + `), count(*) FROM main.` + quoteIdent(table) + ` t`
		if _, err := queryOne(ctx, q, query, nil, &count.Found, &count.Total); err != nil {
			return nil, translate(err, "count the rows of table %s", table)
		}
		counts = append(counts, count)
	}
	return counts, nil
}

// ListDangling lists rows of a table without a parent, in the order of their ids.
func (db *DB) ListDangling(ctx context.Context, t repo.Tx, table, after string, limit int) ([]string, error) {
	q := sweepView{sqliteTx(t)}
	links, err := danglingLinks(ctx, q, table)
	if err != nil || len(links) == 0 {
		return nil, err
	}
	ids, err := queryColumn[string](ctx, q, `SELECT t.id FROM main.`+quoteIdent(table)+` t
		WHERE t.id > ?1 AND typeof(t.id) = 'text' AND `+danglingSQL(links)+` ORDER BY t.id LIMIT ?2`, after, limit)
	return ids, translate(err, "list rows of table %s", table)
}

// RemoveDangling removes those of these rows that are without a parent still. A parent is
// looked for in every row before the lock is taken, since nothing tells of what type a value
// is, and once more by its index under it.
func (db *DB) RemoveDangling(ctx context.Context, t repo.Tx, table string, ids []string) (removed int64, err error) {
	tx := sqliteTx(t)
	links, err := danglingLinks(ctx, tx.view(), table)
	if err != nil {
		return 0, err
	}
	these, from := jsonList(ids), ` FROM main.`+quoteIdent(table)+` AS t WHERE t.id IN (SELECT value FROM json_each(?1))`
	for _, p := range links {
		column := `CAST(t.` + quoteIdent(p.Column) + ` AS TEXT)`
		parents, err := queryColumn[string](ctx, tx.view(), `SELECT DISTINCT `+column+from+` AND t.`+quoteIdent(p.Column)+` IS NOT NULL`, these)
		if err != nil {
			return removed, translate(err, "read rows of table %s", table)
		}
		missing, err := findMissingIDs(ctx, tx.view(), p.Table, parents)
		if err != nil {
			return removed, err
		}
		if err := tx.willWriteRows(ctx); err != nil {
			return removed, err
		}
		n, err := tx.execWrite(ctx, `DELETE`+from+` AND `+column+` IN (SELECT value FROM json_each(?2)) AND `+danglingSQL([]openwebui.Parent{p}), these, jsonList(missing))
		if err != nil {
			return removed, translate(err, "delete from table %s", table)
		}
		removed += n
	}
	return removed, nil
}
