package sqlite

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pruned/repo"
)

// ignored are further exceptions: tables, and columns as table.column.
type ignored []string

func (i ignored) table(name string) bool { return slices.Contains(i, name) }

func (i ignored) column(table, name string) bool { return slices.Contains(i, table+"."+name) }

// unknown refuses what does not exist: a misspelt exception would be none.
func (i ignored) unknown(all []*table) error {
	var unknown []error
	for _, name := range i {
		table, column, isColumn := strings.Cut(name, ".")
		t := find(all, table)
		if t == nil || t.name != table || isColumn && !t.has(column) {
			unknown = append(unknown, fmt.Errorf("%s", name))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return &repo.Error{Kind: repo.Environment, Doing: "read PRUNED_IGNORE",
		Err: fmt.Errorf("no such table or column: %w", errors.Join(unknown...))}
}
