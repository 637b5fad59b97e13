package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"pruned/repo"
)

// LockTrash takes the write lock, under which bytes are claimed as well.
func (db *DB) LockTrash(ctx context.Context, t repo.Tx, id string) (entry repo.Trashed, found bool, err error) {
	tx := sqliteTx(t)
	if err := tx.lockWrite(ctx); err != nil {
		return entry, false, err
	}
	var r trashedRow
	found, err = queryOne(ctx, tx.view(), `SELECT `+trashedColumns+` FROM pruned_trash WHERE file_id = ?1 AND identity = ?2`, []any{id, db.identity.Key}, r.places()...)
	return r.entry(), found, translate(err, "look for file %s in the trash", id)
}

// restoredSQL is the value that keptSQL kept of a column.
func restoredSQL(column string) string {
	kind, value := `content ->> `+quoteText(`$."`+column+`"[0]`), `content ->> `+quoteText(`$."`+column+`"[1]`)
	return `CASE ` + kind + ` WHEN 'blob' THEN unhex(` + value + `) WHEN 'nul' THEN CAST(unhex(` + value + `) AS TEXT)
       WHEN 'real' THEN CAST(` + value + ` AS REAL) ELSE ` + value + ` END`
}

// Restore writes the row of an entry.
func (db *DB) Restore(ctx context.Context, t repo.Tx, id string) (r repo.Restored, err error) {
	tx := sqliteTx(t)
	if err := tx.willWriteRows(ctx); err != nil {
		return r, err
	}
	names, r, err := db.matchColumns(ctx, id)
	if err != nil {
		return r, err
	}
	lives, err := querySet(ctx, db.writer, `SELECT CAST(id AS TEXT) FROM file WHERE id = ?1`, id)
	if err != nil {
		return r, translate(err, "look for a row of file %s", id)
	}
	if len(lives) > 0 {
		return r, &repo.Error{Kind: repo.Permanent, Doing: "restore file " + id, Err: repo.ErrLivesAgain}
	}
	var columns, values []string
	for _, name := range names {
		columns, values = append(columns, quoteIdent(name)), append(values, restoredSQL(name))
	}
	written, err := tx.execWrite(ctx, `INSERT INTO file (`+strings.Join(columns, ", ")+`) SELECT `+strings.Join(values, ", ")+` FROM pruned_trash WHERE file_id = ?1`, id)
	if err != nil {
		return r, translate(err, "write the row of file %s", id)
	}
	if written != 1 {
		return r, &repo.Error{Kind: repo.Permanent, Doing: "restore file " + id, Err: fmt.Errorf("%d rows were written, without an error: a trigger prevents it", written)}
	}
	return r, tx.closeRestored(ctx, id)
}

// matchColumns says which columns both the entry and table file have, and which one of
// them lacks.
func (db *DB) matchColumns(ctx context.Context, id string) (both []string, r repo.Restored, err error) {
	columns, err := db.fileColumns(ctx)
	if err != nil {
		return nil, r, err
	}
	had, err := queryColumn[string](ctx, db.writer, `SELECT j.key FROM pruned_trash t, json_each(t.content) j WHERE t.file_id = ?1`, id)
	if err != nil {
		return nil, r, translate(err, "read file %s in the trash", id)
	}
	for _, name := range columns {
		if slices.Contains(had, name) {
			both = append(both, name)
		} else {
			r.Added = append(r.Added, name)
		}
	}
	for _, name := range had {
		if !slices.Contains(columns, name) {
			r.Dropped = append(r.Dropped, name)
		}
	}
	return both, r, nil
}

// closeRestored forgets that the file was deleted, and since when nothing mentions it.
func (t *tx) closeRestored(ctx context.Context, id string) error {
	for _, query := range []string{
		`DELETE FROM pruned_trash WHERE file_id = ?1`,
		`DELETE FROM pruned_tombstone WHERE file_id = ?1 AND identity = ?2 AND kind IN ('bytes', 'vectors')`,
		`DELETE FROM pruned_candidate WHERE file_id = ?1 AND direction IN ('row', 'vector', 'bytes')`,
	} {
		args := []any{id, t.db.identity.Key}
		if _, err := t.execWrite(ctx, query, args[:strings.Count(query, "?")]...); err != nil {
			return translate(err, "close the tombstones of file %s", id)
		}
	}
	return nil
}
