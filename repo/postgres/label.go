package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// labelFilesSQL computes status and size of the files alone that are asked for.
const labelFilesSQL = `
SELECT f.id, coalesce(f.filename, ''), coalesce(f.user_id, ''), ` + sizeSQL + `, coalesce(` + statusSQL + `, '')
  FROM %s f WHERE f.id = ANY ($1::text[])`

// LabelFiles reads what people know files by.
func (db *DB) LabelFiles(ctx context.Context, ids []string) (map[string]repo.FileLabel, error) {
	labels := make(map[string]repo.FileLabel, len(ids))
	var id string
	var l repo.FileLabel
	err := db.readEach(ctx, db.withFileTable(labelFilesSQL), []any{ids}, []any{&id, &l.Name, &l.Owner, &l.Size, &l.Status}, func() { labels[id] = l })
	return labels, pgerr.Translate(err, "read the names of %d files", len(ids))
}

// LabelRows reads what rows are, or belong to.
func (db *DB) LabelRows(ctx context.Context, table string, keys []string) (map[string]repo.RowLabel, error) {
	labels := make(map[string]repo.RowLabel, len(keys))
	title, known := openwebui.FindTitle(table)
	if !known {
		return labels, nil
	}
	sql := `SELECT t.id::text, coalesce(o.` + refindex.QuoteName(title.Column) + `::text, ''), coalesce(o.user_id::text, '')
  FROM ` + db.quotedTable(title.Table) + ` t JOIN ` + db.quotedTable(title.Of) + ` o ON o.id = t.` + refindex.QuoteName(title.Link) + `
 WHERE t.id = ANY ($1::text[])`
	var key string
	var l repo.RowLabel
	err := db.readEach(ctx, sql, []any{keys}, []any{&key, &l.Title, &l.Owner}, func() { labels[key] = l })
	return labels, pgerr.Translate(err, "read the names of %d rows of table %s", len(keys), table)
}

// NameUsers reads the names of users.
func (db *DB) NameUsers(ctx context.Context, ids []string) (map[string]string, error) {
	names := make(map[string]string, len(ids))
	var id, name string
	err := db.readEach(ctx, `SELECT id::text, coalesce(name::text, '') FROM `+db.quotedTable("user")+` WHERE id = ANY ($1::text[])`,
		[]any{ids}, []any{&id, &name}, func() { names[id] = name })
	return names, pgerr.Translate(err, "read the names of %d users", len(ids))
}

// readEach reads the rows of a query, in a transaction of its own.
func (db *DB) readEach(ctx context.Context, sql string, args, into []any, fn func()) error {
	return db.inOwnTx(ctx, func(t pgx.Tx) error {
		rows, _ := t.Query(ctx, sql, args...)
		_, err := pgx.ForEachRow(rows, into, func() error { fn(); return nil })
		return err
	})
}
