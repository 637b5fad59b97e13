package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
)

// delaySQL is how long a tombstone waits at most, an interval. The delay of old tombstones
// is not recorded; no setting is longer than 30 days.
const delaySQL = `make_interval(secs => coalesce(delay, 2592000))`

// dueAtSQL is when a tombstone is due. A wait that is longer than its length was begun
// by a clock that was ahead, and begins now; where that clock was ahead by more than a
// day, nobody knows for how long it has waited: it counts as over.
const dueAtSQL = `CASE WHEN due_at > clock_timestamp() + ` + delaySQL + ` + interval '1 day' THEN clock_timestamp()
	ELSE least(due_at, clock_timestamp() + ` + delaySQL + `) END`

// mendTombstonesSQL writes the corrected times. It waits for nobody: who mends them may hold
// others that somebody else wants to mend.
const mendTombstonesSQL = `
UPDATE pruned.tombstone SET due_at = ` + dueAtSQL + `, made_at = least(made_at, clock_timestamp())
 WHERE seq IN (SELECT seq FROM pruned.tombstone
                WHERE due_at > clock_timestamp() + ` + delaySQL + ` OR made_at > clock_timestamp()
                  FOR UPDATE SKIP LOCKED)`

// mendTimesSQL: what happened in the future happened now. The clock was ahead, or has
// been put back.
const mendTimesSQL = `
UPDATE pruned.candidate SET first_seen = least(first_seen, clock_timestamp()), seen_at = least(seen_at, clock_timestamp()),
       made_at = CASE WHEN made_at > clock_timestamp() THEN clock_timestamp() ELSE made_at END,
       claimed_at = CASE WHEN claimed_at <= clock_timestamp() THEN claimed_at END
 WHERE greatest(first_seen, seen_at, made_at, claimed_at) > clock_timestamp();
UPDATE pruned.ledger SET at = clock_timestamp() WHERE at > clock_timestamp();
UPDATE pruned.confirmation SET at = clock_timestamp() WHERE at > clock_timestamp();
UPDATE pruned.keep SET made_at = clock_timestamp() WHERE made_at > clock_timestamp();
UPDATE pruned.trash SET made_at = clock_timestamp() WHERE made_at > clock_timestamp();
UPDATE pruned.survivor SET made_at = clock_timestamp() WHERE made_at > clock_timestamp();
UPDATE pruned.hold SET at = least(at, clock_timestamp()), shown_at = least(shown_at, clock_timestamp())
 WHERE greatest(at, shown_at) > clock_timestamp();` + mendTombstonesSQL

func mendTimes(ctx context.Context, t pgx.Tx) error {
	_, err := t.Exec(ctx, mendTimesSQL)
	return pgerr.Translate(err, "mend times that are in the future")
}

// rowsMissingSQL is the condition that rows of table file are missing that pruned did
// not delete: more than half of those that were there when the last tombstones were
// written, or all. It holds for a day, and as long as the table is empty: rows
// that the application deleted are missing as well.
const rowsMissingSQL = `
       (SELECT count(*) FILTER (WHERE lost) * 2 > count(*) AND (bool_or(fresh) OR NOT EXISTS (SELECT FROM %s))
          FROM (SELECT made_at > clock_timestamp() - interval '1 day' - ` + delaySQL + ` AS fresh,
                       NOT EXISTS (SELECT FROM %s f WHERE f.id = s.id)
                       AND NOT EXISTS (SELECT FROM pruned.ledger l WHERE l.file_id = s.id AND l.outcome = 'deleted') AS lost
                  FROM (SELECT * FROM pruned.survivor WHERE identity = @identity::text ORDER BY seq DESC LIMIT 1) last
                 CROSS JOIN unnest(last.files) s (id)) w)`

// expireSurvivorsSQL deletes the lines that do not count any more. No batch does so: two
// would wait for each other.
const expireSurvivorsSQL = `
DELETE FROM pruned.survivor s WHERE EXISTS (SELECT FROM pruned.survivor WHERE identity = s.identity AND seq > s.seq)`

func (db *DB) expireSurvivors(ctx context.Context) error {
	return db.InTx(ctx, nil, func(t repo.Tx) error {
		_, err := t.Exec(ctx, expireSurvivorsSQL)
		return err
	})
}

var timesSQL = `SELECT ` + openwebui.TimesSQL("f.created_at::float8", "n.now") + `, ` + openwebui.TimesSQL("f.updated_at::float8", "n.now") + `
  FROM %s f, (SELECT extract(epoch FROM clock_timestamp())::float8 AS now) n`

// checkTimes checks the units of the times of table file.
func (db *DB) checkTimes(ctx context.Context) ([]repo.Finding, error) {
	c, u := repo.Times{Column: "created_at"}, repo.Times{Column: "updated_at"}
	err := db.readRow(ctx, db.withFileTable(timesSQL), nil, &c.None, &c.Millis, &c.Micros, &c.Nanos, &c.Future, &c.Together,
		&u.None, &u.Millis, &u.Micros, &u.Nanos, &u.Future, &u.Together)
	if err = pgerr.Translate(err, "look at the times of table file"); err == nil {
		return []repo.Finding{repo.CheckTimes(c, u)}, nil
	}
	if repo.KindOf(err) != repo.Permanent {
		return nil, err
	}
	// The error quotes a value.
	return []repo.Finding{{Check: "times", Detail: "created_at or updated_at of table file holds what is no number",
		Remedy: "make both bigint again, seconds since 1970, as Open WebUI's migrations do (ALTER TABLE file ALTER COLUMN ... TYPE bigint USING ...)"}}, nil
}
