package sqlite

import (
	"context"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// labelFilesSQL takes every value for a text, whatever it is: SQLite checks no types.
const labelFilesSQL = `
SELECT CAST(f.id AS TEXT), coalesce(CAST(f.filename AS TEXT), ''), coalesce(CAST(f.user_id AS TEXT), ''), ` + sizeSQL + `,
       coalesce(CASE WHEN json_valid(f.data) AND json_type(f.data) = 'object' THEN CAST(f.data ->> '$.status' AS TEXT) END, '')
  FROM file f WHERE f.id IN (SELECT value FROM json_each(?1))`

// LabelFiles reads what people know files by.
func (db *DB) LabelFiles(ctx context.Context, ids []string) (map[string]repo.FileLabel, error) {
	labels := make(map[string]repo.FileLabel, len(ids))
	var id string
	var l repo.FileLabel
	err := queryEach(ctx, db.pool, labelFilesSQL, []any{jsonList(ids)}, []any{&id, &l.Name, &l.Owner, &l.Size, &l.Status}, func() error {
		labels[id] = l
		return nil
	})
	return labels, translate(err, "read the names of %d files", len(ids))
}

// LabelRows reads what rows are, or belong to.
func (db *DB) LabelRows(ctx context.Context, table string, keys []string) (map[string]repo.RowLabel, error) {
	labels := make(map[string]repo.RowLabel, len(keys))
	title, known := openwebui.FindTitle(table)
	if !known {
		return labels, nil
	}
	query := `SELECT CAST(t.id AS TEXT), coalesce(CAST(o.` + quoteIdent(title.Column) + ` AS TEXT), ''), coalesce(CAST(o.user_id AS TEXT), '')
  FROM ` + quoteIdent(title.Table) + ` t JOIN ` + quoteIdent(title.Of) + ` o ON o.id = t.` + quoteIdent(title.Link) + `
 WHERE t.id IN (SELECT value FROM json_each(?1))`
	var key string
	var l repo.RowLabel
	err := queryEach(ctx, db.pool, query, []any{jsonList(keys)}, []any{&key, &l.Title, &l.Owner}, func() error {
		labels[key] = l
		return nil
	})
	return labels, translate(err, "read the names of %d rows of table %s", len(keys), table)
}

// NameUsers reads the names of users.
func (db *DB) NameUsers(ctx context.Context, ids []string) (map[string]string, error) {
	names := make(map[string]string, len(ids))
	var id, name string
	err := queryEach(ctx, db.pool, `SELECT CAST(id AS TEXT), coalesce(CAST(name AS TEXT), '') FROM user WHERE id IN (SELECT value FROM json_each(?1))`,
		[]any{jsonList(ids)}, []any{&id, &name}, func() error { names[id] = name; return nil })
	return names, translate(err, "read the names of %d users", len(ids))
}
