package refindex

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo/postgres/pgerr"
)

// createCaptureSQL makes a trigger function, which whoever writes runs as its owner: that of
// the notes.
const createCaptureSQL = `
CREATE OR REPLACE FUNCTION pruned.%[1]s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $pruned$%[2]s$pruned$;
ALTER FUNCTION pruned.%[1]s() OWNER TO %[3]s`

const ownerOfCapturedSQL = `SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class WHERE oid = 'pruned.captured'::regclass`

// NamesCapture says that a statement is about one of the trigger functions.
func NamesCapture(statement string) bool {
	return strings.Contains(statement, "pruned."+captureFunction+"(")
}

// Capture makes the triggers that note which rows are written, on every table of the
// application that the index covers and whose rows are named by a column id. The others are
// read whole by each look; it returns their names. It waits for the writers of a table, and
// they for it, one table after the other.
func (ix *Index) Capture(ctx context.Context) (captured, others []string, err error) {
	var relations []*relation
	err = ix.Run(ctx, passTimeout, func(t pgx.Tx) (err error) {
		if err = createCaptureFunctions(ctx, t); err != nil {
			return err
		}
		relations, err = ix.readRelations(ctx, t)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	for _, r := range relations {
		switch {
		case r.schema != ix.Schema || len(r.columns) == 0:
			continue
		case !r.canCapture():
			others = append(others, r.name)
			continue
		}
		done := false
		err := ix.Run(ctx, passTimeout, func(t pgx.Tx) (err error) {
			done, err = ix.captureTable(ctx, t, r)
			return err
		})
		switch {
		case err != nil:
			return captured, others, err
		case done:
			captured = append(captured, r.name)
		default:
			others = append(others, r.name)
		}
	}
	return captured, others, nil
}

func createCaptureFunctions(ctx context.Context, t pgx.Tx) error {
	var owner string
	if err := t.QueryRow(ctx, ownerOfCapturedSQL).Scan(&owner); err != nil {
		return pgerr.Translate(err, "look for the owner of pruned.captured")
	}
	for _, name := range slices.Sorted(maps.Keys(captureBodies)) {
		if _, err := t.Exec(ctx, fmt.Sprintf(createCaptureSQL, name, captureBodies[name], owner)); err != nil {
			return pgerr.Translate(err, "make function pruned.%s", name)
		}
	}
	return nil
}

// captureTable makes the triggers of a table, unless they are in order: a trigger that is made
// anew has tables read until two passes later. done is false for partitions and heirs.
func (ix *Index) captureTable(ctx context.Context, t pgx.Tx, r *relation) (done bool, err error) {
	var bound bool
	err = t.QueryRow(ctx, fmt.Sprintf(`SELECT %s IS NOT NULL, EXISTS (SELECT FROM pg_inherits WHERE %[2]d IN (inhrelid, inhparent))`,
		armedSQL(fmt.Sprint(r.oid), "''"), r.oid)).Scan(&done, &bound)
	if err != nil || done || bound {
		return done, pgerr.Translate(err, "look for the triggers of table %s", r)
	}
	for i, g := range captureTriggers {
		sql := fmt.Sprintf("CREATE OR REPLACE TRIGGER %s "+g.when+" EXECUTE FUNCTION pruned.%s()", g.name, r.quotedName(), g.function)
		if g.enabled == "R" {
			sql += fmt.Sprintf("; ALTER TABLE %s ENABLE REPLICA TRIGGER %s", r.quotedName(), g.name)
		}
		if i == 0 {
			err = ix.lockFirst(ctx, t, sql)
		} else {
			_, err = t.Exec(ctx, sql)
		}
		if err != nil {
			return false, pgerr.Translate(err, "make trigger %s of table %s (it takes the owner of the table)", g.name, r)
		}
	}
	return true, nil
}

// releaseSQL removes the triggers, whoever owns the tables, with their functions.
const releaseSQL = `DROP FUNCTION IF EXISTS pruned.` + captureFunction + `(), pruned.` + captureRowFunction + `() CASCADE`

// releaseTries is how often a release tries to lock all tables.
const releaseTries = 50

// Release removes the triggers that Capture made. Looks read tables from then on.
func (ix *Index) Release(ctx context.Context) error {
	return ix.Run(ctx, passTimeout, func(t pgx.Tx) error {
		if err := ReleaseInTx(ctx, t); err != nil {
			return err
		}
		_, err := t.Exec(ctx, `DELETE FROM pruned.captured`)
		return pgerr.Translate(err, "forget captured rows")
	})
}

// ReleaseInTx removes them in a transaction that holds no other lock. One table after the
// other is locked, against readers too, while whoever uses the next one may wait for the
// last: so it waits for each for an instant only (ShortWaitSQL), gives all back, and tries
// again.
func ReleaseInTx(ctx context.Context, t pgx.Tx) error {
	return untilLocked(ctx, releaseTries, func() error {
		err := pgx.BeginFunc(ctx, t, func(savepoint pgx.Tx) error {
			_, err := savepoint.Exec(ctx, releaseSQL)
			return err
		})
		return pgerr.Translate(err, "remove the triggers that capture rows")
	})
}

// capturedSQL lists the tables by whether their triggers are in order, and whether they were all
// along.
var capturedSQL = `
SELECT r.name, now.captured IS NOT NULL, coalesce(r.captured = now.captured AND r.captured_from <= r.w, false)
  FROM pruned.relation r CROSS JOIN LATERAL (SELECT ` + armedSQL("r.relid", uncapturedSQL) + `) now (captured)
 ORDER BY r.name`

// Captured tells how tables stand towards capture.
type Captured struct {
	Noted   []string // all rows that are written are noted, and looks may use that
	Waiting []string // likewise, but some were not: two passes have to end first
	Read    []string // looks read them whole
}

// ListCaptured tells how the tables that the index covers stand; installed is false where
// nobody asked for capture.
func (ix *Index) ListCaptured(ctx context.Context, t pgx.Tx) (c Captured, installed bool, err error) {
	s, err := readCapture(ctx, t)
	if err != nil || !s.installed {
		return c, false, err
	}
	rows, _ := t.Query(ctx, capturedSQL)
	var name string
	var armed, used bool
	_, err = pgx.ForEachRow(rows, []any{&name, &armed, &used}, func() error {
		switch {
		case armed && used:
			c.Noted = append(c.Noted, name)
		case armed:
			c.Waiting = append(c.Waiting, name)
		default:
			c.Read = append(c.Read, name)
		}
		return nil
	})
	return c, true, pgerr.Translate(err, "look for the tables whose rows are captured")
}
