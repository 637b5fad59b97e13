package sqlite

import (
	"context"
	"strings"
)

// later is what the steps of a sweep write. It is written when the transaction
// commits, in groups that take a moment each: a sweep is no secret, and its marks
// may be seen one after the other, while an application that waits for the lock
// would notice them all at once.
//
// A dry run reads what it wrote, in one transaction that lists whole stores: it
// does so in a copy of our tables, that its own connection keeps in memory and the
// commit copies back.
type later struct {
	groups [][]statement
	shadow *session
}

type statement struct {
	query string
	args  []any
}

// sweepTables are the tables that the steps of a sweep write.
var sweepTables = []string{"pruned_state", "pruned_candidate", "pruned_hold", "pruned_binding"}

// write notes statements that belong together.
func (l *later) write(ctx context.Context, group ...statement) error {
	if l.shadow == nil {
		l.groups = append(l.groups, group)
		return nil
	}
	return run(ctx, l.shadow, group)
}

func run(ctx context.Context, s *session, group []statement) error {
	for _, statement := range group {
		if _, err := s.exec(ctx, statement.query, statement.args...); err != nil {
			return translate(err, "write what was noted")
		}
	}
	return nil
}

// reads is what the steps of a sweep read from.
func (l *later) reads(ctx context.Context, t *tx) (querier, error) {
	if l.shadow != nil {
		return l.shadow, nil
	}
	if t.begun {
		return t.db.writer, l.commit(ctx, t)
	}
	if len(l.groups) == 0 {
		return t.db.pool, nil
	}
	l.shadow = &session{pool: t.db.pool}
	if err := l.copyTables(ctx); err != nil {
		return nil, translate(err, "copy our own tables")
	}
	for _, group := range l.groups {
		if err := run(ctx, l.shadow, group); err != nil {
			return nil, err
		}
	}
	l.groups = nil
	return l.shadow, nil
}

// copyTables makes temporary tables of the same names, which hide the others.
func (l *later) copyTables(ctx context.Context) error {
	for _, name := range sweepTables {
		var made string
		if _, err := one(ctx, l.shadow, `SELECT sql FROM main.sqlite_schema WHERE name = ?1`, []any{name}, &made); err != nil {
			return err
		}
		for _, query := range []string{
			strings.Replace(made, "CREATE TABLE", "CREATE TEMP TABLE", 1),
			`INSERT INTO temp.` + name + ` SELECT * FROM main.` + name,
		} {
			if _, err := l.shadow.exec(ctx, query); err != nil {
				return err
			}
		}
	}
	return nil
}

// commit writes what was noted: within the transaction if that has begun, in short
// ones otherwise.
func (l *later) commit(ctx context.Context, t *tx) error {
	if l.shadow != nil {
		return l.copyBack(ctx, t.db)
	}
	groups := l.groups
	l.groups = nil
	for _, group := range groups {
		if t.begun {
			t.wrote = true
			if err := run(ctx, t.db.writer, group); err != nil {
				return err
			}
			continue
		}
		if err := t.db.short(ctx, group); err != nil {
			return err
		}
	}
	return nil
}

// short is a transaction of its own.
func (db *DB) short(ctx context.Context, group []statement) error {
	t := &tx{db: db}
	defer t.rollback(ctx)
	if err := t.begin(ctx); err != nil {
		return err
	}
	if err := run(ctx, db.writer, group); err != nil {
		return err
	}
	return t.commit(ctx)
}

func (l *later) copyBack(ctx context.Context, db *DB) error {
	if err := db.turn.take(ctx); err != nil {
		return err
	}
	defer db.turn.giveBack()
	defer l.forget()
	group := []statement{{query: `BEGIN IMMEDIATE`}}
	for _, name := range sweepTables {
		if name != "pruned_state" {
			group = append(group, statement{query: `DELETE FROM main.` + name},
				statement{query: `INSERT INTO main.` + name + ` SELECT * FROM temp.` + name})
		}
	}
	group = append(group, statement{query: `UPDATE main.pruned_state SET sweep = (SELECT sweep FROM temp.pruned_state)`},
		statement{query: `COMMIT`})
	return run(ctx, l.shadow, group)
}

// forget drops what was noted, and the connection with its temporary tables.
func (l *later) forget() {
	l.groups = nil
	if l.shadow != nil {
		l.shadow.discard()
		l.shadow = nil
	}
}
