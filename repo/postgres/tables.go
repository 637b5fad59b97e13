package postgres

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo/openwebui"
)

// DeletedFrom names the tables of this database that pruned deletes rows from: table file,
// the links to it, and our own; not that of the vectors, which is their store's. Names are
// quoted, with their schemas. Not all of them need be there.
func (db *DB) DeletedFrom() []string {
	tables := []string{db.quotedTable("file")}
	for _, p := range openwebui.Parents {
		if name := db.quotedTable(p.Child); strings.HasSuffix(p.Child, "_file") && !slices.Contains(tables, name) {
			tables = append(tables, name)
		}
	}
	for _, name := range ownTables {
		tables = append(tables, pgx.Identifier{"pruned", name}.Sanitize())
	}
	return tables
}

// Largest names the tables of the application that grow most, as DeletedFrom does.
func (db *DB) Largest() []string { return []string{db.quotedTable("file"), db.quotedTable("chat")} }
