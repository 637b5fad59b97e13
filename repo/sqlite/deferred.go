package sqlite

import (
	"context"
	"database/sql"
	"strings"
)

// deferredWrites is what the steps of a sweep write. It is written when the transaction
// commits, in groups that take a moment each: a sweep is no secret, and its marks
// may be seen one after the other, while an application that waits for the lock
// would notice them all at once.
//
// A dry run reads what it wrote, in one transaction that lists whole stores: it
// does so in a copy of our tables, that its own connection keeps in memory and the
// commit copies back.
type deferredWrites struct {
	groups [][]statement
	shadow *session
}

type statement struct {
	query string
	args  []any
}

// sweepTables are the tables that the steps of a sweep write.
var sweepTables = []string{"pruned_state", "pruned_candidate", "pruned_hold", "pruned_binding", "pruned_confirmation"}

// enqueue adds statements that belong together.
func (l *deferredWrites) enqueue(ctx context.Context, group ...statement) error {
	if l.shadow == nil {
		l.groups = append(l.groups, group)
		return nil
	}
	return runStatements(ctx, l.shadow, group)
}

func runStatements(ctx context.Context, s *session, group []statement) error {
	for _, statement := range group {
		if _, err := s.runPrepared(ctx, statement.query, statement.args...); err != nil {
			return translate(err, "write what was noted")
		}
	}
	return nil
}

// view is what the steps of a sweep read from.
func (l *deferredWrites) view(ctx context.Context, t *tx) (querier, error) {
	if l.shadow != nil {
		return l.shadow, nil
	}
	if t.locked {
		return t.db.writer, l.flushTo(ctx, t)
	}
	if len(l.groups) == 0 {
		return t.db.pool, nil
	}
	l.shadow = &session{pool: t.db.pool}
	if err := l.fillShadow(ctx); err != nil {
		return nil, translate(err, "copy our own tables")
	}
	for _, group := range l.groups {
		if err := runStatements(ctx, l.shadow, group); err != nil {
			return nil, err
		}
	}
	l.groups = nil
	return l.shadow, nil
}

// sweepView is what the steps of a sweep query.
type sweepView struct{ *tx }

func (v sweepView) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	q, err := v.deferred.view(ctx, v.tx)
	if err != nil {
		return nil, err
	}
	return q.QueryContext(ctx, query, args...)
}

// tableSQL is the statement that made a table.
const tableSQL = `SELECT sql FROM main.sqlite_schema WHERE name = ?1`

// fillShadow makes temporary tables of the same names, which hide the others.
func (l *deferredWrites) fillShadow(ctx context.Context) error {
	for _, name := range sweepTables {
		var made string
		if _, err := queryOne(ctx, l.shadow, tableSQL, []any{name}, &made); err != nil {
			return err
		}
		for _, query := range shadowSQL(name, made) {
			if _, err := l.shadow.runPrepared(ctx, query); err != nil {
				return err
			}
		}
	}
	return nil
}

// shadowSQL makes the temporary table of a table that a statement made, and fills it.
func shadowSQL(name, made string) []string {
	return []string{strings.Replace(made, "CREATE TABLE", "CREATE TEMP TABLE", 1), `INSERT INTO temp.` + name + ` SELECT * FROM main.` + name}
}

// flushTo writes what was enqueued: within the transaction if that has begun, in short
// ones otherwise.
func (l *deferredWrites) flushTo(ctx context.Context, t *tx) error {
	if l.shadow != nil {
		return l.copyShadowBack(ctx, t.db)
	}
	groups := l.groups
	l.groups = nil
	for _, group := range groups {
		if t.locked {
			t.wrote = true
			if err := runStatements(ctx, t.db.writer, group); err != nil {
				return err
			}
			continue
		}
		if err := t.db.runShortTx(ctx, group); err != nil {
			return err
		}
	}
	return nil
}

// runShortTx is a transaction of its own.
func (db *DB) runShortTx(ctx context.Context, group []statement) error {
	t := &tx{db: db}
	defer t.rollbackUncommitted(ctx)
	if err := t.lockWrite(ctx); err != nil {
		return err
	}
	if err := runStatements(ctx, db.writer, group); err != nil {
		return err
	}
	return t.commitAll(ctx)
}

func (l *deferredWrites) copyShadowBack(ctx context.Context, db *DB) error {
	if err := db.mutex.lock(ctx); err != nil {
		return err
	}
	defer db.mutex.unlock()
	defer l.dropAll()
	if err := db.Present(); err != nil {
		return err
	}
	return runStatements(ctx, l.shadow, copyBackStatements())
}

// copyBackStatements replace our tables by the temporary ones.
func copyBackStatements() []statement {
	group := []statement{{query: `BEGIN IMMEDIATE`}}
	for _, name := range sweepTables {
		if name != "pruned_state" {
			group = append(group, statement{query: `DELETE FROM main.` + name},
				statement{query: `INSERT INTO main.` + name + ` SELECT * FROM temp.` + name})
		}
	}
	return append(group, statement{query: `UPDATE main.pruned_state SET sweep = (SELECT sweep FROM temp.pruned_state)`},
		statement{query: `COMMIT`})
}

// dropAll drops what was enqueued, and the connection with its temporary tables.
func (l *deferredWrites) dropAll() {
	l.groups = nil
	if l.shadow != nil {
		l.shadow.discardConn()
		l.shadow = nil
	}
}
