package sqlite

import (
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"

	"pruned/repo/openwebui"
)

// isException says whether a table's rows keep no file: one of the exceptions,
// ours, or SQLite's own.
func isException(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(openwebui.NotReferences, name) || slices.Contains(ownTables(), name) || strings.HasPrefix(name, "sqlite_")
}

var createTable = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)

// ownTables are the names of our own tables, all that the migrations ever made.
// Another one whose name only begins like theirs is somebody else's: it is searched,
// and stays.
var ownTables = sync.OnceValue(func() []string {
	names := []string{versionTable}
	files, err := fs.Glob(migrations, "migrations/*.sql")
	for _, file := range files {
		content, readErr := migrations.ReadFile(file)
		err = errors.Join(err, readErr)
		for _, match := range createTable.FindAllSubmatch(content, -1) {
			names = append(names, string(match[1]))
		}
	}
	if err != nil {
		panic(err) // they are part of the program
	}
	return names
})
