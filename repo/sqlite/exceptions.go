package sqlite

import "strings"

// The exceptions to "any living row of any table keeps the file". Each is a
// table of Open WebUI's schema whose rows mention files without using them.
var exceptions = map[string]bool{
	"file":            true, // every row names itself, and some list what else was in their request
	"alembic_version": true, // the schema's revision
	"config_old":      true, // a copy that a migration left behind and nothing reads
	"access_grant":    true, // leftovers of file.access_control, which nothing reads
}

// isException says whether a table's rows keep no file: one of the exceptions,
// ours, or SQLite's own.
func isException(name string) bool {
	name = strings.ToLower(name)
	return exceptions[name] || strings.HasPrefix(name, "pruned_") || strings.HasPrefix(name, "sqlite_")
}
