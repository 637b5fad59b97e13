package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// notTablesSQL are the views, and the tables whose rows a module keeps (virtual
// ones): neither has pages that can be read.
const notTablesSQL = `SELECT name, CASE type WHEN 'view' THEN 'a view' ELSE 'a virtual table' END FROM sqlite_schema
	WHERE type = 'view' OR type = 'table' AND rootpage = 0 ORDER BY name`

// examineTables refuses a database in which Open WebUI's chats, or anything else of
// it, are not where they are looked for: what a view shows, or an application
// attaches, may lie in another file.
func examineTables(ctx context.Context, q querier, path string) error {
	var moved []error
	var name, is string
	err := each(ctx, q, notTablesSQL, nil, []any{&name, &is}, func() error {
		if openwebui.HasTable(name) {
			moved = append(moved, fmt.Errorf("%s is %s", name, is))
		}
		return nil
	})
	if err != nil {
		return translate(err, "look for views")
	}
	var chats bool
	if _, err := one(ctx, q, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'chat' COLLATE NOCASE)`, nil, &chats); err != nil {
		return translate(err, "look for table chat")
	}
	if !chats {
		moved = append(moved, errors.New("chat is missing"))
	}
	if len(moved) == 0 {
		return nil
	}
	return refuse(path, fmt.Errorf("what mentions files must lie in tables of this file, or files in use would be taken for unused: %w: "+
		"make a table of that name again, with all rows", errors.Join(moved...)))
}

// examineVirtual tells what is not searched. The text of a full-text index lies in
// plain tables beside it, which are.
func (db *DB) examineVirtual(ctx context.Context) (repo.Finding, error) {
	names, err := column[string](ctx, db.pool, `SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage = 0 ORDER BY name`)
	f := repo.Finding{Check: "virtual tables", OK: true, Detail: "none"}
	if len(names) > 0 {
		f.Detail = strings.Join(names, ", ") + ": what their modules keep outside of plain tables is not searched"
		f.Do = "if they alone mention files, attach those files to something else as well"
	}
	return f, translate(err, "look for virtual tables")
}
