package sqlite

import (
	"context"
	"slices"
	"strings"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// openedBy is how the conditions of openwebui.Opened are written here.
var openedBy = openwebui.Dialect{Table: quoteIdent, Contains: func(column, id string) string {
	return "instr(CAST(" + column + " AS TEXT), " + id + ") > 0"
}}

// readOpened finds out under which condition somebody can open the rows of the table. Where
// that cannot be told there is none, and every row counts.
func (t *table) readOpened(all []*table, counts bool) {
	for _, name := range openwebui.OpenedByColumns {
		table, column, _ := strings.Cut(name, ".")
		if to := findTable(all, table); to == nil || !to.hasColumn(column) {
			return
		}
	}
	for _, name := range openwebui.Owned {
		if findTable(all, name).hasColumn(openwebui.OlderGrants) {
			return
		}
	}
	t.opened = openedBy.Opened(t.name)
	t.needsOpener = counts && t.opened != ""
}

// departedSQL tells which of some rows nobody can open any more.
func (t *table) departedSQL() string {
	return `SELECT ` + t.keyExpression() + ` FROM ` + quoteIdent(t.name) + ` t WHERE ` + t.keyExpression() + ` IN (SELECT value FROM json_each(?1)) AND NOT ` + t.opened
}

// markDeparted marks the mentions in rows that nobody can open any more.
func (x *explanation) markDeparted(ctx context.Context, t *table, found []repo.Mention) error {
	if t.opened == "" || len(found) == 0 {
		return nil
	}
	keys := make([]string, len(found))
	for i, m := range found {
		keys[i] = m.Row
	}
	gone, err := queryColumn[string](ctx, x.q, t.departedSQL(), jsonList(keys))
	for i := range found {
		found[i].Departed = slices.Contains(gone, found[i].Row)
	}
	return translate(err, "look who can open the rows of table %s", t.name)
}
