package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pruned/repo/openwebui"
)

// recognize finds out whose database this is, and refuses what cannot be worked
// with. It only reads.
func (db *DB) recognize(ctx context.Context) error {
	path := db.options.Path
	var encoding string
	if _, err := one(ctx, db.pool, `PRAGMA encoding`, nil, &encoding); err != nil {
		return refuse(path, plain(err))
	}
	if encoding != "UTF-8" {
		return refuse(path, fmt.Errorf("its text is %s; Open WebUI's is UTF-8", encoding))
	}
	tables, err := column[string](ctx, db.pool, `SELECT name FROM sqlite_schema WHERE type = 'table'`)
	if err != nil {
		return refuse(path, plain(err))
	}
	for _, want := range []string{"file", "alembic_version"} {
		if !slices.Contains(tables, want) {
			return refuse(path, fmt.Errorf("it is not Open WebUI's: it has no table %s", want))
		}
	}
	columns, err := column[string](ctx, db.pool, `SELECT name FROM pragma_table_info('file')`)
	if err != nil {
		return refuse(path, plain(err))
	}
	var missing []error
	for _, want := range openwebui.FileColumns {
		if !slices.Contains(columns, want.Name) {
			missing = append(missing, fmt.Errorf("file.%s", want.Name))
		}
	}
	if len(missing) > 0 {
		return refuse(path, fmt.Errorf("table file is not one that pruned knows: missing %w", errors.Join(missing...)))
	}
	if _, err := readCatalog(ctx, db.pool, db.options); err != nil {
		return err
	}
	return db.identify(ctx, tables)
}

// errReplaced says that another file has the name of the one that was opened.
var errReplaced = errors.New("the file was replaced by another one")

// present refuses when the file was replaced, as a backup is restored: what was
// opened is nobody's database any more, and what it says of stores may be false.
func (db *DB) present() error {
	number, err := fileNumber(db.options.Path)
	if err == nil && number != db.number {
		err = errReplaced
	}
	if err != nil {
		return refuse(db.options.Path, err)
	}
	return nil
}
