package repotest

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pruned/repo/testenv"
)

// completed are the columns that a row of a table cannot be without, at the release at hand,
// beside those of r.
func (e Engine) completed(t testing.TB, table string, r row) row {
	t.Helper()
	full := row{"id": fresh}
	if slices.Contains(idless, table) {
		delete(full, "id")
	}
	maps.Copy(full, required[table])
	if e.Columns == nil {
		return full
	}
	columns := e.Columns(t, table)
	maps.DeleteFunc(full, func(name string, _ any) bool { return !hasColumn(columns, name) })
	for name := range r {
		if !hasColumn(columns, name) {
			t.Skipf("this release of Open WebUI has no %s.%s", table, name)
		}
	}
	for _, c := range columns {
		completeColumn(t, table, c, full, r)
	}
	return full
}

// completeColumn makes a value of the column's type, if a row cannot be without one.
func completeColumn(t testing.TB, table string, c testenv.ColumnInfo, full, r row) {
	t.Helper()
	if value, given := r[c.Name]; given {
		if value == nil && c.NotNull {
			t.Skipf("this release of Open WebUI has no %s without %s", table, c.Name)
		}
		return
	}
	value, given := full[c.Name]
	numbered := value == fresh && isNumber(c)
	switch {
	case numbered && c.Default:
		delete(full, c.Name)
	case numbered, !given && c.NotNull && !c.Default:
		full[c.Name] = anyValue(c)
	}
}

func hasColumn(columns []testenv.ColumnInfo, name string) bool {
	return slices.ContainsFunc(columns, func(c testenv.ColumnInfo) bool { return c.Name == name })
}

// has says whether the release at hand has a column.
func (e Engine) has(t testing.TB, table, column string) bool {
	t.Helper()
	return e.Columns == nil || hasColumn(e.Columns(t, table), column)
}

func isNumber(c testenv.ColumnInfo) bool {
	return strings.Contains(strings.ToLower(c.Type), "int") || strings.HasPrefix(strings.ToLower(c.Type), "date")
}

var nextNumber atomic.Int64

// anyValue is one that no other row need have.
func anyValue(c testenv.ColumnInfo) any {
	switch {
	case isNumber(c):
		return nextNumber.Add(1)
	case strings.HasPrefix(strings.ToLower(c.Type), "bool"):
		return false
	case strings.HasPrefix(strings.ToLower(c.Type), "json"):
		return "{}"
	}
	return fresh
}
