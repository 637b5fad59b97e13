package sqlite

import (
	"context"
	"fmt"
	"time"

	"pruned/repo"
)

const deleteFilesSQL = `DELETE FROM file WHERE id IN (SELECT value FROM json_each(?1)) RETURNING id, coalesce(path, '')`

// deleteLinksSQL deletes the rows of a table that name one of the files in a column.
func deleteLinksSQL(table, column string) string {
	return `DELETE FROM ` + quoteIdent(table) + ` WHERE ` + quoteIdent(column) + ` IN (SELECT value FROM json_each(?1))`
}

// Delete is step 4 of the transaction. Nothing cascades, since the application
// asks SQLite for no foreign keys: every row that a foreign key binds to the files
// goes along, dead or alive, as it would if it did.
func (db *DB) Delete(ctx context.Context, t repo.Tx, ids []string, keep time.Duration) ([]repo.Deleted, error) {
	tx := sqliteTx(t)
	if err := tx.willWriteRows(ctx); err != nil {
		return nil, err
	}
	these := jsonList(ids)
	if err := db.keepInTrash(ctx, these, keep); err != nil {
		return nil, err
	}
	linked, err := db.cascadingLinks(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range linked {
		if _, err := tx.execWrite(ctx, deleteLinksSQL(l[0], l[1]), these); err != nil {
			return nil, translate(err, "delete from table %s", l[0])
		}
	}
	var deleted []repo.Deleted
	var d repo.Deleted
	err = queryEach(ctx, db.writer, deleteFilesSQL, []any{these}, []any{&d.ID, &d.Path}, func() error { deleted = append(deleted, d); return nil })
	if err != nil {
		return nil, translate(err, "delete %d rows of table file", len(ids))
	}
	if len(deleted) != len(ids) {
		return nil, &repo.Error{Kind: repo.Permanent, Doing: fmt.Sprintf("delete %d rows of table file", len(ids)),
			Err: fmt.Errorf("only %d went, without an error: a trigger prevents it", len(deleted))}
	}
	return deleted, db.SetGrace(ctx, t, repo.FromRows, nil, ids)
}

// links are the tables and columns that a foreign key binds to a file, as of one
// schema.
type links struct {
	schema int64
	list   [][2]string
}

// cascadingLinks reads them again only where the schema changed.
func (db *DB) cascadingLinks(ctx context.Context) ([][2]string, error) {
	var schema int64
	if _, err := queryOne(ctx, db.writer, `PRAGMA schema_version`, nil, &schema); err != nil {
		return nil, translate(err, "read PRAGMA schema_version")
	}
	if db.links.list != nil && db.links.schema == schema {
		return db.links.list, nil
	}
	list := [][2]string{}
	var table, column string
	err := queryEach(ctx, db.writer, `SELECT m.name, k."from" FROM sqlite_schema m, pragma_foreign_key_list(m.name) k
		WHERE m.type = 'table' AND k."table" = 'file' COLLATE NOCASE AND k.on_delete = 'CASCADE'`, nil, []any{&table, &column}, func() error {
		list = append(list, [2]string{table, column})
		return nil
	})
	if err == nil {
		db.links = links{schema, list}
	}
	return list, translate(err, "look for the links of files")
}
