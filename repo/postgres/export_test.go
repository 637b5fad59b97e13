package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
)

// EndEachPage has a full pass commit after every page.
func (db *DB) EndEachPage() { db.index.PageTime = 0 }

// KeepPlan returns what brings back the plan of the last look, as a worker does that
// was slow to make it.
func (db *DB) KeepPlan() (bringBack func()) {
	p := db.index.LastPlan.Load()
	return func() { db.index.LastPlan.Store(p) }
}

// WaitForWriters has a look take every transaction of somebody who writes for a long one.
func (db *DB) WaitForWriters() { db.index.LongWriting = 0 }

// WaitForWritersOf has it take those of that age for one.
func (db *DB) WaitForWritersOf(age time.Duration) { db.index.LongWriting = age }

// ComposedStatements are those that are put together from fragments, by the name of
// their file.
func (db *DB) ComposedStatements(ctx context.Context) (statements map[string]string, err error) {
	deletion := []string{db.withFileTable(pathsSQL), db.withFileTable(deleteSQL)}
	err = db.inOwnTx(ctx, func(t pgx.Tx) error {
		links, err := db.index.UnenforcedLinks(ctx, t)
		for _, l := range links {
			deletion = append(deletion, deadLinksSQL(l))
		}
		return err
	})
	return map[string]string{
		"lock.sql":                db.withFileTable(lockSQL),
		"trash.sql":               db.withFileTable(trashSQL),
		"delete.sql":              strings.Join(deletion, ";\n"),
		"row_candidates.sql":      db.withFileTable(candidatesSQL(repo.FromRows, "")),
		"listed_candidates.sql":   db.withFileTable(candidatesSQL(repo.FromVectors, "")),
		"upsert_listed.sql":       db.withFileTable(upsertListedSQL(repo.FromBytes)),
		"upsert_leftovers.sql":    db.withFileTable(upsertListedSQL(repo.FromPoints)),
		"leftover_candidates.sql": db.withFileTable(candidatesSQL(repo.FromPoints, "")),
		"still_referenced.sql":    db.withFileTable(stillReferencedSQL),
	}, err
}

// MissingForeignKeys lists the link tables that exist and have no foreign key to
// table file that cascades in fact.
func (db *DB) MissingForeignKeys(ctx context.Context) (missing []string, err error) {
	err = db.inOwnTx(ctx, func(t pgx.Tx) error {
		tables, err := db.index.UnenforcedLinks(ctx, t)
		for _, table := range tables {
			missing = append(missing, table.Name)
		}
		return err
	})
	return missing, err
}

// Schema is the schema of the application's tables.
func (db *DB) Schema() string { return db.schema }

// interruptedTx calls a function before each query that begins in a way.
type interruptedTx struct {
	pgx.Tx
	begin  string
	before func()
}

func (t interruptedTx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if strings.HasPrefix(sql, t.begin) {
		t.before()
	}
	return t.Tx.Query(ctx, sql, args...)
}

// BeforeDeadLinks has a transaction call a function right before it looks for dead links.
func BeforeDeadLinks(t repo.Tx, before func()) repo.Tx {
	return tx{Tx: interruptedTx{pgxTx(t), "SELECT t.file_id, t.knowledge_id", before}}
}

// BeforeSearch has it call one right before it runs the statement of a plan.
func BeforeSearch(t repo.Tx, before func()) repo.Tx {
	return tx{Tx: interruptedTx{pgxTx(t), "\nWITH quiet (yes)", before}}
}
