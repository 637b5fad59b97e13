package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// isExcluded says whether a table's rows keep no file: one of the exceptions,
// ours, or SQLite's own.
func isExcluded(name string) bool {
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

// ignoreList are further exceptions: tables, and columns as table.column.
type ignoreList []string

func (i ignoreList) hasTable(name string) bool { return slices.Contains(i, name) }

func (i ignoreList) hasColumn(table, name string) bool { return slices.Contains(i, table+"."+name) }

// checkNames refuses what does not exist: a misspelt exception would be none.
func (i ignoreList) checkNames(all []*table) error {
	var unknown []error
	for _, name := range i {
		table, column, isColumn := strings.Cut(name, ".")
		t := findTable(all, table)
		if t == nil || t.name != table || isColumn && !t.hasColumn(column) {
			unknown = append(unknown, fmt.Errorf("%s", name))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return &repo.Error{Kind: repo.Environment, Doing: "read PRUNED_IGNORE",
		Err: fmt.Errorf("no such table or column: %w", errors.Join(unknown...))}
}
