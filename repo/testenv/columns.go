package testenv

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// ColumnInfo is one of a table of the application.
type ColumnInfo struct {
	Name, Type       string
	NotNull, Default bool
}

// Columns are those of a table; none if it is not there.
func (d *Database) Columns(t testing.TB, table string) []ColumnInfo {
	t.Helper()
	rows, _ := d.Pool.Query(context.Background(), `
SELECT column_name, data_type, is_nullable = 'NO', column_default IS NOT NULL OR is_identity = 'YES'
FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2`, d.Schema, table)
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ColumnInfo])
	if err != nil {
		t.Fatalf("list the columns of table %s: %v", table, err)
	}
	return columns
}

// Columns are those of a table; none if it is not there. SQLite numbers a key that is an
// INTEGER by itself.
func (d *SQLite) Columns(t testing.TB, table string) (columns []ColumnInfo) {
	t.Helper()
	rows, err := d.DB.QueryContext(context.Background(), `
SELECT name, type, "notnull", dflt_value IS NOT NULL OR pk AND type = 'INTEGER' FROM pragma_table_info(?)`, table)
	if err != nil {
		t.Fatalf("list the columns of table %s: %v", table, err)
	}
	defer rows.Close()
	for rows.Next() {
		var c ColumnInfo
		if err := rows.Scan(&c.Name, &c.Type, &c.NotNull, &c.Default); err != nil {
			t.Fatalf("list the columns of table %s: %v", table, err)
		}
		columns = append(columns, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("list the columns of table %s: %v", table, err)
	}
	return columns
}
