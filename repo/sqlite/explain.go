package sqlite

import (
	"context"
	"time"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/openwebui"
)

// maxReferences bounds an explanation: a picture may be in every chat.
const maxReferences = 1000

var fileSQL = `
SELECT coalesce(f.path, ''), ` + createdSQL + `,
       coalesce(CASE WHEN json_valid(f.data) AND json_type(f.data) = 'object' THEN f.data ->> '$.status' END, '')
  FROM file f WHERE f.id = ?1`

// DescribeFile tells what the row of one file says. exists is false without an error where
// there is none.
func (db *DB) DescribeFile(ctx context.Context, id string) (info repo.FileInfo, exists bool, err error) {
	now := time.Now()
	var made *float64
	exists, err = queryOne(ctx, db.pool, fileSQL, []any{id}, &info.Path, &made, &info.Status)
	if exists {
		info.Age = now.Sub(rowDates(made, nil, now, now).made)
	}
	return info, exists, translate(err, "read the row of file %s", id)
}

// ListReferences lists every mention of one file that keeps it, up to 1,000. Where the
// tables have not been read yet it reads them.
func (db *DB) ListReferences(ctx context.Context, t repo.Tx, id string) (found []repo.Mention, err error) {
	tx := sqliteTx(t)
	if !tx.locked {
		if err := db.mutex.lock(ctx); err != nil {
			return nil, err
		}
		defer db.mutex.unlock()
		if err := db.updateUnlocked(ctx, nil); err != nil {
			return nil, err
		}
	} else if err := tx.lockForSearch(ctx); err != nil {
		return nil, err
	}
	rows := map[*table][]int64{}
	n := 0
	db.index.eachPosting(id, func(m *posting) bool {
		switch {
		case m.table == schemaTable:
			found = append(found, repo.Mention{Table: "sqlite_schema"})
		case m.row == noRow:
			rows[db.index.catalog.tables[m.table]] = nil
		default:
			rows[db.index.catalog.tables[m.table]] = append(rows[db.index.catalog.tables[m.table]], m.row)
		}
		n++
		return n < maxReferences
	})
	x := &explanation{db: db, q: tx.view(), found: found, mentionsFile: mention.NewFinder([]string{id}).FindsAny}
	for _, table := range db.index.catalog.tables {
		if numbers, mentioned := rows[table]; mentioned {
			if err := x.readRows(ctx, table, numbers); err != nil {
				return nil, err
			}
		}
	}
	return x.found[:min(len(x.found), maxReferences)], nil
}

// explanation gathers the mentions of one file.
type explanation struct {
	db           *DB
	q            querier
	found        []repo.Mention
	mentionsFile func(text []byte) bool
}

// chatsSQL tells the chats of rows, which name them in a column.
func (t *table) chatsSQL(link string) string {
	return `SELECT ` + t.keyExpression() + `, coalesce(c.title, ''), coalesce(c.user_id, '') FROM ` + quoteIdent(t.name) + ` t
	JOIN chat c ON c.id = t.` + link + ` WHERE ` + t.keyExpression() + ` IN (SELECT value FROM json_each(?1))`
}

// chatColumn is the column of a table that names the chat of a row.
func (t *table) chatColumn() (name string, is bool) {
	if name = "chat_id"; t.name == "chat" {
		name = "id"
	}
	return name, t.hasColumn(name)
}

// readRows reads rows of a table, all of them where rows have no number.
func (x *explanation) readRows(ctx context.Context, t *table, rows []int64) error {
	where, args := `1`, []any(nil)
	if t.rowid != "" {
		where, args = t.theseRows(), []any{jsonList(rows)}
	}
	from := len(x.found)
	err := t.eachText(ctx, x.q, where, args, func(key string, column int, text []byte) error {
		c := t.columns[column]
		whole := c.ignored && !ignoreList(x.db.options.Ignore).hasColumn(t.name, c.name) // holds but citations
		if c.ignored && !whole || len(x.found) >= maxReferences || !x.mentionsFile(text) {
			return nil
		}
		citing, all := openwebui.CitationsOf(t.name, c.name)
		for _, p := range mention.Places(text, citing, all, x.mentionsFile) {
			if !p.Cites || !x.db.options.CitationsIgnore {
				x.found = append(x.found, repo.Mention{Table: t.name, Row: key, Column: c.name, Path: p.Path, Cites: p.Cites})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := x.markDeparted(ctx, t, x.found[from:]); err != nil {
		return err
	}
	return x.addChats(ctx, t, x.found[from:])
}

// addChats fills in title and owner of the chats that the mentions are in, or
// belong to by a column chat_id.
func (x *explanation) addChats(ctx context.Context, t *table, found []repo.Mention) error {
	link, is := t.chatColumn()
	if !is || len(found) == 0 {
		return nil
	}
	keys := make([]string, len(found))
	for i, m := range found {
		keys[i] = m.Row
	}
	var key, title, owner string
	err := queryEach(ctx, x.q, t.chatsSQL(link), []any{jsonList(keys)}, []any{&key, &title, &owner}, func() error {
		for i := range found {
			if found[i].Row == key {
				found[i].Title, found[i].Owner = title, owner
			}
		}
		return nil
	})
	return translate(err, "look for the chats of table %s", t.name)
}
