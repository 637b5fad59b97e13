package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// namingSQL reads meta as text: one row that is no JSON must not end it. Nearly every file
// names its own collection, which the first condition tells in a tenth of the time.
const namingSQL = `
SELECT DISTINCT ON (m.name) m.name, f.id FROM (
    SELECT f.id::text, f.meta::text COLLATE "C" AS text FROM %s f OFFSET 0) f
 CROSS JOIN LATERAL (SELECT substring(f.text FROM '"collection_name"\s*:\s*"([^"]*)"') AS name OFFSET 0) m
 WHERE f.text NOT LIKE '%"collection_name": "file-%' AND m.name = ANY ($1::text[]) ORDER BY m.name, f.id`

// FindNamingFiles reads the whole of table file.
func (db *DB) FindNamingFiles(ctx context.Context, t repo.Tx, names []string) (map[string]string, error) {
	files := map[string]string{}
	if len(names) == 0 {
		return files, nil
	}
	rows, _ := pgxTx(t).Query(ctx, db.withFileTable(namingSQL), names)
	var name, id string
	_, err := pgx.ForEachRow(rows, []any{&name, &id}, func() error {
		files[name] = id
		return nil
	})
	return files, pgerr.Translate(err, "look for files that name %d collections", len(names))
}

// HasUsers looks for one row.
func (db *DB) HasUsers(ctx context.Context, t repo.Tx) (has bool, err error) {
	err = pgxTx(t).QueryRow(ctx, `SELECT EXISTS (SELECT FROM `+db.quotedTable("user")+`)`).Scan(&has)
	return has, pgerr.Translate(err, "look whether table user is empty")
}
