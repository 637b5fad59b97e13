package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pruned/repo/openwebui"
)

// catalog is what may mention files, as of one state of the schema.
type catalog struct {
	tables []*table // in the order of their root pages
	files  *table   // table file itself
	texts  []string // defaults, which rows that are older than their column do not store
}

// table is one table whose rows count. Its rows are named by their rowid.
type table struct {
	number  int // in the catalog
	name    string
	root    uint32
	rowid   string // how statements call it; empty where a table has none
	columns []columnInfo
	key     []string // columns of the primary key, in its order
	parents []parent // without one of these the row is dead
	opened  string   // condition that somebody can open row t; empty where that cannot be told
	// needsOpener: without it the row is dead.
	needsOpener bool
}

// columnInfo is a column; they are in the order in which values are stored.
type columnInfo struct {
	name         string
	ignored      bool
	skippedPaths [][]string // paths of its JSON that do not count
}

// parent is a row that another row, which names it in a column, cannot live without.
type parent struct{ table, key, column string }

// readCatalog reads the schema. What an option names must exist.
func readCatalog(ctx context.Context, q querier, o Options) (*catalog, error) {
	c := &catalog{}
	var all []*table
	var name string
	var root uint32
	err := queryEach(ctx, q, `SELECT name, rootpage FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY rootpage`,
		nil, []any{&name, &root}, func() error {
			all = append(all, &table{name: name, root: root})
			return nil
		})
	if err != nil {
		return nil, translate(err, "list the tables")
	}
	if err := examineTables(ctx, q, o.Path); err != nil {
		return nil, err
	}
	ignore := ignoreList(o.Ignore)
	for _, t := range all {
		if t.name == "file" {
			c.files = t
		}
		if err := t.readColumns(ctx, q); err != nil {
			return nil, err
		}
	}
	if c.files == nil || c.files.rowid == "" {
		return nil, refuseFile(o.Path, errors.New("it has no table file whose rows are numbered, as Open WebUI makes it"))
	}
	for _, t := range all {
		if isExcluded(t.name) || ignore.hasTable(t.name) {
			continue
		}
		t.readParents(all)
		t.readOpened(all, o.DepartedIgnore)
		for i := range t.columns {
			name := t.columns[i].name
			t.columns[i].ignored = ignore.hasColumn(t.name, name)
			if o.CitationsIgnore {
				paths, whole := openwebui.CitationsOf(t.name, name)
				t.columns[i].skippedPaths = paths
				t.columns[i].ignored = t.columns[i].ignored || whole
			}
		}
		defaults, err := queryColumn[string](ctx, q, `SELECT dflt_value FROM pragma_table_xinfo(?1) WHERE dflt_value IS NOT NULL`, t.name)
		if err != nil {
			return nil, translate(err, "list the defaults of table %s", t.name)
		}
		c.texts = append(c.texts, defaults...)
		t.number = len(c.tables)
		c.tables = append(c.tables, t)
	}
	return c, ignore.checkNames(all)
}

// readColumns reads the columns as they are stored: a virtual one is not, and is
// made of others.
func (t *table) readColumns(ctx context.Context, q querier) error {
	var name string
	var position, hidden int
	keys := map[int]string{}
	var all []string
	err := queryEach(ctx, q, `SELECT name, pk, hidden FROM pragma_table_xinfo(?1) ORDER BY cid`, []any{t.name},
		[]any{&name, &position, &hidden}, func() error {
			all = append(all, strings.ToLower(name))
			if hidden != 2 {
				t.columns = append(t.columns, columnInfo{name: name})
			}
			if position > 0 {
				keys[position] = name
			}
			return nil
		})
	if err != nil {
		return translate(err, "list the columns of table %s", t.name)
	}
	for i := 1; i <= len(keys); i++ {
		t.key = append(t.key, keys[i])
	}
	var without int
	if _, err := queryOne(ctx, q, `SELECT wr FROM pragma_table_list(?1) WHERE schema = 'main'`, []any{t.name}, &without); err != nil {
		return translate(err, "look at table %s", t.name)
	}
	for _, alias := range []string{"rowid", "_rowid_", "oid"} {
		if without == 0 && !slices.Contains(all, alias) {
			t.rowid = alias
			break
		}
	}
	return nil
}

// readParents finds out without which rows those of the table are dead. A parent
// that cannot be looked up makes none dead.
func (t *table) readParents(all []*table) {
	for _, p := range openwebui.ParentsOf(t.name) {
		if to := findTable(all, p.Table); to != nil && to.hasColumn(p.Key) && t.hasColumn(p.Column) {
			t.parents = append(t.parents, parent{table: to.name, key: p.Key, column: p.Column})
		}
	}
}

func findTable(tables []*table, name string) *table {
	for _, t := range tables {
		if strings.EqualFold(t.name, name) {
			return t
		}
	}
	return nil
}

func (t *table) hasColumn(name string) bool {
	return slices.ContainsFunc(t.columns, func(c columnInfo) bool { return c.name == name })
}

// livingCondition is the condition under which row t of the table lives.
func (t *table) livingCondition() string {
	if t.needsOpener {
		return t.parentsCondition() + " AND " + t.opened
	}
	return t.parentsCondition()
}

// parentsCondition is the condition that the parents of row t are there. One that names no
// parent lives by itself.
func (t *table) parentsCondition() string {
	var b strings.Builder
	for _, p := range t.parents {
		column := "t." + quoteIdent(p.column)
		b.WriteString(" AND (" + column + " IS NULL OR EXISTS (SELECT 1 FROM " + quoteIdent(p.table) + " p WHERE p." + quoteIdent(p.key) + " = " + column + "))")
	}
	return b.String()
}

// keyExpression is how people name row t: by its primary key, as {a,b} if that has
// several columns.
func (t *table) keyExpression() string {
	switch len(t.key) {
	case 0:
		if t.rowid == "" {
			return "''"
		}
		return "CAST(t." + t.rowid + " AS TEXT)"
	case 1:
		return "CAST(t." + quoteIdent(t.key[0]) + " AS TEXT)"
	}
	var parts []string
	for _, c := range t.key {
		parts = append(parts, "CAST(t."+quoteIdent(c)+" AS TEXT)")
	}
	return "'{' || " + strings.Join(parts, " || ',' || ") + " || '}'"
}

func quoteIdent(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quoteText(text string) string { return `'` + strings.ReplaceAll(text, `'`, `''`) + `'` }

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
	err := queryEach(ctx, q, notTablesSQL, nil, []any{&name, &is}, func() error {
		if openwebui.HasTable(name) {
			moved = append(moved, fmt.Errorf("%s is %s", name, is))
		}
		return nil
	})
	if err != nil {
		return translate(err, "look for views")
	}
	var chats bool
	if _, err := queryOne(ctx, q, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'chat' COLLATE NOCASE)`, nil, &chats); err != nil {
		return translate(err, "look for table chat")
	}
	if !chats {
		moved = append(moved, errors.New("chat is missing"))
	}
	if len(moved) == 0 {
		return nil
	}
	return refuseFile(path, fmt.Errorf("what mentions files must lie in tables of this file, or files in use would be taken for unused: %w: "+
		"make a table of that name again, with all rows", errors.Join(moved...)))
}
