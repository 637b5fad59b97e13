package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
)

// fitting are the types that our statements can work with in place of another.
var fitting = map[string][]string{
	"varchar": {"varchar", "text"},
	"text":    {"varchar", "text"},
	"json":    {"json", "jsonb", "varchar", "text"},
	"bigint":  {"int8", "int4", "int2", "numeric", "float8", "float4"},
}

// columnTypesSQL lists the columns of table file with their types: of a domain its base
// type, and the type as people write it.
const columnTypesSQL = `
SELECT a.attname::text, coalesce(b.typname, y.typname)::text, format_type(a.atttypid, a.atttypmod), a.attrelid::regclass::text
  FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = y.typbasetype
 WHERE a.attrelid = to_regclass(format('%I.file', $1::text)) AND a.attnum > 0 AND NOT a.attisdropped`

// recognizeColumns refuses a table file that our statements do not fit, as after a
// migration by hand, and says what would make it fit.
func recognizeColumns(ctx context.Context, t pgx.Tx, schema string, refuse refusal) error {
	rows, _ := t.Query(ctx, columnTypesSQL, schema)
	types, written := map[string]string{}, map[string]string{}
	var name, typ, long, table string
	if _, err := pgx.ForEachRow(rows, []any{&name, &typ, &long, &table}, func() error {
		types[name], written[name] = typ, long
		return nil
	}); err != nil {
		return pgerr.Translate(err, "look at the columns of table file")
	}
	var missing, wrong []error
	for _, want := range openwebui.FileColumns {
		switch has, there := types[want.Name]; {
		case !there:
			missing = append(missing, fmt.Errorf("file.%s", want.Name))
		case !slices.Contains(fitting[want.Type], has):
			wrong = append(wrong, fmt.Errorf("column file.%s has type %s, not %s: ALTER TABLE %s ALTER COLUMN %[1]s DROP DEFAULT, ALTER COLUMN %[1]s TYPE %[3]s USING %[5]s;",
				want.Name, written[want.Name], want.Type, table, conversionSQL(want.Name, has, want.Type)))
		}
	}
	if len(missing) > 0 {
		return refuse("table file is not one that pruned knows: missing %w", errors.Join(missing...))
	}
	if len(wrong) > 0 {
		return refuse("table file is not as Open WebUI makes it: %w", errors.Join(wrong...))
	}
	return nil
}

// conversionSQL is the expression that turns a column into what it should be.
func conversionSQL(name, has, wanted string) string {
	switch {
	case wanted == "bigint" && slices.Contains([]string{"timestamp", "timestamptz", "date"}, has):
		return "extract(epoch FROM " + name + ")::bigint"
	case has == "bytea":
		return "convert_from(" + name + ", 'UTF8')::" + wanted
	}
	return name + "::text::" + wanted
}
