package sqlite

import (
	"context"
	"encoding/json"

	"pruned/repo"
	"pruned/repo/mention"
)

// livingRow is one living row that mentions a file.
type livingRow struct {
	*posting
	table *table
	key   string
}

func (f livingRow) toReference() repo.Reference {
	if f.table == nil {
		return repo.Reference{Table: "sqlite_schema"}
	}
	r := repo.Reference{Table: f.table.name, Row: f.key}
	if int(f.column) < len(f.table.columns) {
		r.Column = f.table.columns[f.column].name
	}
	return r
}

// findLiving says which of the ids a living row mentions, and the first that was found.
// A row that the index tells of may be gone by now, or its parent: the mentions of
// all ids are looked up together, the newest of each at first, then twice as many
// each time. One is enough, but chats that are gone may have left thousands.
func (x *index) findLiving(ctx context.Context, q querier, ids []string) (map[string]livingRow, error) {
	result := map[string]livingRow{}
	open := make(map[string][]*posting, len(ids))
	for _, id := range ids {
		x.eachPosting(id, func(m *posting) bool {
			if m.table == schemaTable {
				result[id] = livingRow{posting: m}
				return false
			}
			open[id] = append(open[id], m)
			return true
		})
		if _, known := result[id]; known {
			delete(open, id)
		}
	}
	for width := 1; len(open) > 0; width *= 2 {
		rows := map[uint16][]int64{}
		for _, mentions := range open {
			for _, m := range mentions[:min(width, len(mentions))] {
				if m.row != noRow {
					rows[m.table] = append(rows[m.table], m.row)
				}
			}
		}
		alive := map[rowRef]string{}
		for number, rows := range rows {
			if err := x.catalog.tables[number].livingKeys(ctx, q, rows, func(row int64, key string) { alive[rowRef{number, row}] = key }); err != nil {
				return nil, err
			}
		}
		for id, mentions := range open {
			looked := min(width, len(mentions))
			for _, m := range mentions[:looked] {
				if key, lives := alive[rowRef{m.table, m.row}]; lives || m.row == noRow {
					result[id] = livingRow{m, x.catalog.tables[m.table], key}
					break
				}
			}
			if open[id] = mentions[looked:]; result[id].posting != nil || len(open[id]) == 0 {
				delete(open, id)
			}
		}
	}
	return result, nil
}

// theseRows is the condition that row t is one of a list.
func (t *table) theseRows() string { return `t.` + t.rowid + ` IN (SELECT value FROM json_each(?1))` }

func (t *table) livingKeysSQL() string {
	return `SELECT t.` + t.rowid + `, coalesce(` + t.keyExpression() + `, '') FROM ` + quoteIdent(t.name) + ` t WHERE ` + t.theseRows() + t.livingCondition()
}

// livingKeys calls yield with those of the rows that live, and how people name them.
func (t *table) livingKeys(ctx context.Context, q querier, rows []int64, yield func(row int64, key string)) error {
	var row int64
	var key string
	err := queryEach(ctx, q, t.livingKeysSQL(), []any{jsonList(rows)}, []any{&row, &key}, func() error {
		yield(row, key)
		return nil
	})
	return translate(err, "look for rows of table %s", t.name)
}

// textsSQL reads of the living rows under a condition the key, and of every column what
// is text.
func (t *table) textsSQL(where string) string {
	columns := ""
	for _, c := range t.columns {
		name := "t." + quoteIdent(c.name)
		columns += ",\n       CASE WHEN typeof(" + name + ") IN ('text', 'blob') THEN " + name + " END"
	}
	return `SELECT coalesce(` + t.keyExpression() + `, '')` + columns + `
  FROM ` + quoteIdent(t.name) + ` t WHERE ` + where + t.livingCondition()
}

// eachText calls fn with the texts of rows of a table, by the number of the column.
func (t *table) eachText(ctx context.Context, q querier, where string, args []any, fn func(key string, column int, text []byte) error) error {
	var key string
	texts, dest := make([]rawText, len(t.columns)), []any{&key}
	for i := range texts {
		dest = append(dest, &texts[i])
	}
	err := queryEach(ctx, q, t.textsSQL(where), args, dest, func() error {
		var failed error
		for i, raw := range texts {
			raw.eachReading(func(text []byte) {
				if failed == nil {
					failed = fn(key, i, text)
				}
			})
		}
		return failed
	})
	return translate(err, "read table %s", t.name)
}

// rawText is a value of a column as it is, text or blob; nil for NULL. It is valid
// until the next row.
type rawText struct {
	bytes []byte
	blob  bool
}

func (r rawText) eachReading(yield func(text []byte)) {
	switch {
	case r.blob:
		mention.Readings(r.bytes, yield)
	case r.bytes != nil:
		yield(r.bytes)
	}
}

// Scan implements sql.Scanner.
func (r *rawText) Scan(value any) error {
	switch v := value.(type) {
	case string:
		*r = rawText{bytes: []byte(v)}
	case []byte:
		*r = rawText{v, true}
	default:
		*r = rawText{}
	}
	return nil
}

// jsonList is a list as a parameter, for json_each.
func jsonList[T any](values []T) string {
	if values == nil {
		values = []T{}
	}
	text, err := json.Marshal(values)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return string(text)
}
