package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"pruned/repo"
)

// LongestLock is how long the write lock was ever held.
func (db *DB) LongestLock() time.Duration { return db.lock.longestHeld }

// NoteSurvivorsSQL is what notes which files stay.
const NoteSurvivorsSQL = noteSurvivorsSQL

// FileNumber is what tells one file from another while it is open.
var FileNumber = fileNumber

// ComposedStatements are those that are put together from fragments, or from the tables
// of the schema, by the name of their file.
func (db *DB) ComposedStatements(ctx context.Context) (map[string]string, error) {
	c, err := readCatalog(ctx, db.pool, db.options)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(c.tables, func(a, b *table) int { return strings.Compare(a.name, b.name) })
	var keys, texts, chats, dead, departed []string
	for _, t := range c.tables {
		keys, texts = append(keys, t.livingKeysSQL()), append(texts, t.textsSQL(t.theseRows()))
		if link, is := t.chatColumn(); is {
			chats = append(chats, t.chatsSQL(link))
		}
		if t.opened != "" {
			departed = append(departed, t.departedSQL())
		}
		if t.linksFiles() {
			dead = append(dead, t.countDeadSQL())
		}
	}
	deletion, err := db.deletionSQL(ctx)
	if err != nil {
		return nil, err
	}
	shadow, err := db.shadowsSQL(ctx)
	empty := []string{}
	for _, link := range provenLinks {
		empty = append(empty, emptyLinkSQL(link.name, link.proof))
	}
	columns, failed := db.fileColumns(ctx)
	return map[string]string{
		"trash.sql":               trashSQL(columns),
		"lock.sql":                lockSQL,
		"living_keys.sql":         joinSQL(keys...),
		"departed.sql":            joinSQL(departed...),
		"texts.sql":               joinSQL(texts...),
		"new_files.sql":           c.newFilesSQL(),
		"delete.sql":              joinSQL(deletion...),
		"row_candidates.sql":      candidatesSQL(repo.FromRows, `c.file_id > @after`),
		"listed_candidates.sql":   candidatesSQL(repo.FromVectors, `c.file_id > @after`),
		"leftover_candidates.sql": candidatesSQL(repo.FromPoints, `c.file_id > @after`),
		"drop_stale.sql":          dropStaleSQL,
		"shadow.sql":              joinSQL(shadow...),
		"rowless_ids.sql":         rowlessIDsSQL,
		"empty_links.sql":         joinSQL(empty...),
		"backlog.sql":             backlogSQL,
		"mend_tombstones.sql":     joinSQL(anyAheadSQL, mendTombstonesSQL),
		"rows_missing.sql":        rowsMissingSQL,
		"describe_file.sql":       joinSQL(append([]string{fileSQL}, chats...)...),
		"doctor.sql":              joinSQL(append(dead, countTimesSQL, oddTimesSQL("created_at"))...),
	}, cmp.Or(err, failed)
}

// deletionSQL are the statements by which a batch deletes.
func (db *DB) deletionSQL(ctx context.Context) (deletion []string, err error) {
	err = db.InTx(ctx, nil, func(t repo.Tx) error {
		if err := sqliteTx(t).lockWrite(ctx); err != nil {
			return err
		}
		linked, err := db.cascadingLinks(ctx)
		for _, l := range linked {
			deletion = append(deletion, deleteLinksSQL(l[0], l[1]))
		}
		return err
	})
	slices.Sort(deletion)
	return append(deletion, deleteFilesSQL), err
}

// shadowsSQL are the statements by which a dry run copies our tables, and copies them
// back.
func (db *DB) shadowsSQL(ctx context.Context) (list []string, err error) {
	for _, name := range sweepTables {
		var made string
		if _, err := queryOne(ctx, db.pool, tableSQL, []any{name}, &made); err != nil {
			return nil, err
		}
		list = append(list, shadowSQL(name, made)...)
	}
	for _, s := range copyBackStatements() {
		list = append(list, s.query)
	}
	return list, nil
}

func joinSQL(statements ...string) string {
	for i, s := range statements {
		statements[i] = strings.TrimSpace(s)
	}
	return strings.Join(statements, ";\n")
}

// Pool is what reads outside of transactions.
func (db *DB) Pool() *sql.DB { return db.pool }
