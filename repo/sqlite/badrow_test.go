package sqlite_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// badValues are what a column of table file may hold that is none of what the
// application writes there: SQLite checks no types.
var badValues = map[string]string{
	"no JSON":                      `'{"a":'`,
	"an escaped NUL":               `'{"status":"\u0000","size":"\u0000"}'`,
	"a NUL":                        `CAST(X'7b7d00' AS TEXT)`,
	"JSON of another shape":        `'[1,[2],{"status":3}]'`,
	"a scalar":                     `'"text"'`,
	"a number beyond all integers": `'{"status":123456789012345678901234567890,"size":123456789012345678901234567890}'`,
	"a size that is a fraction":    `'{"size":1e400}'`,
	"deep JSON":                    `replace(hex(zeroblob(2000)), '00', '[')`,
	"JSON5":                        `'{status: +Infinity, size: 0xff,}'`,
	"bytes that are JSON":          `CAST('{"status":"pending","size":5}' AS BLOB)`,
	"bytes":                        `X'00ff10'`,
	"binary JSON":                  `jsonb('{"status":"pending","size":5}')`,
	"no UTF-8":                     `CAST(X'fffe' AS TEXT)`,
	"a surrogate":                  `'{"status":"\ud800"}'`,
	"an integer":                   `9223372036854775807`,
	"infinity":                     `9e999`,
	"a date":                       `'2026-11-28 10:00:00'`,
	"a number as text":             `'1000'`,
	"nothing":                      `NULL`,
	"an empty text":                `''`,
}

// TestOneBadRowStopsNothing: whatever one row of table file holds in one column, a
// sweep goes on, the row's file is judged or kept, and all others go.
func TestOneBadRowStopsNothing(t *testing.T) {
	t.Parallel()
	for _, column := range []string{"meta", "data", "path", "created_at", "updated_at", "filename", "hash", "id"} {
		t.Run(column, func(t *testing.T) {
			t.Parallel()
			d := testenv.NewSQLite(t)
			db, ctx := open(t, d), context.Background()
			var bad []string
			for name, value := range badValues {
				if column == "id" && value == `NULL` {
					continue // of which there may be many
				}
				id := newFile(t, d)
				if _, err := d.DB.Exec(`UPDATE file SET `+column+` = `+value+` WHERE id = ?`, id); err != nil {
					t.Logf("%s: %s cannot be stored: %v", column, name, err)
					continue
				}
				bad = append(bad, id)
			}
			good, used := newFile(t, d), newFile(t, d)
			insertMention(t, d, used)
			everyStep(ctx, t, repo.NewEngine(db), append(bad, good, used), good)
			require.EqualValues(t, 1, d.Count(t, `SELECT count(*) FROM file WHERE id = $1`, used))
			require.Zero(t, d.Count(t, `SELECT count(*) FROM file WHERE id = $1`, good))
		})
	}
}

// everyStep takes every step of a sweep, of a batch, and of the other commands.
func everyStep(ctx context.Context, t *testing.T, db repo.Engine, ids []string, good string) {
	t.Helper()
	ages := repo.Ages{Min: time.Hour, Pending: time.Hour}
	require.NoError(t, db.IndexAll(ctx, nil))
	require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		sweep, err := db.BeginSweep(ctx, tx)
		require.NoError(t, err)
		require.NoError(t, db.UpsertRowCandidates(ctx, tx, sweep))
		require.NoError(t, db.UpsertListed(ctx, tx, sweep, repo.FromBytes, "s", []repo.Listed{{FileID: uuid.NewString(), Name: "x"}}))
		return db.DropStale(ctx, tx, sweep, repo.FromBytes)
	}))
	for _, d := range []repo.Direction{repo.FromRows, repo.FromBytes} {
		require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
			_, err := db.ListCandidates(ctx, tx, d, ages, "", 1000)
			require.NoError(t, err)
			_, err = db.CountCandidates(ctx, tx, d, ages, 1)
			require.NoError(t, err)
			_, err = db.CheckSanity(ctx, tx, d, 1)
			return err
		}))
	}
	_, _, err := db.NextCandidate(ctx, ages)
	require.NoError(t, err)
	_, err = db.CheckDatabase(ctx)
	require.NoError(t, err)
	require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		locked, err := db.Lock(ctx, tx, ids, ages)
		require.NoError(t, err)
		require.NotEmpty(t, locked.Files)
		_, err = db.FindReferences(ctx, tx, ids)
		return err
	}))
	for _, id := range ids {
		_, _, err := db.DescribeFile(ctx, id)
		require.NoError(t, err)
		require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
			_, err := db.ListReferences(ctx, tx, id)
			return err
		}))
	}
	require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		_, err := db.StillReferenced(ctx, tx, []repo.Tombstone{{Seq: 1, FileID: good, Name: "x"}})
		return err
	}))
	require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		_, err := db.Delete(ctx, tx, []string{good}, 0)
		return err
	}))
}

// TestOneBadRowElsewhereStopsNothing: nor does what a row of any other table holds,
// and it keeps what it mentions all the same.
func TestOneBadRowElsewhereStopsNothing(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLite(t)
	d.DB.SetMaxOpenConns(1)
	d.Exec(t, `CREATE TABLE plugin_page (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID`)
	d.Exec(t, `CREATE TABLE plugin_sheet (a PRIMARY KEY, b)`)
	db, ctx := open(t, d), context.Background()
	var kept []string
	for name, value := range badValues {
		id := newFile(t, d)
		_, err := d.DB.Exec(`INSERT INTO chat (id, user_id, title, chat, created_at, updated_at, archived, meta) VALUES (`+value+`, ?1, `+value+`, `+value+`, 1, 1, 0, `+value+`)`, id)
		if err != nil {
			t.Logf("%s cannot be stored in chat: %v", name, err)
		} else {
			kept = append(kept, id)
		}
		if value != "NULL" {
			id = newFile(t, d)
			kept = append(kept, id)
			d.Exec(t, `INSERT INTO plugin_page VALUES (`+value+`, $1)`, id)
		}
		id = newFile(t, d)
		kept = append(kept, id)
		d.Exec(t, `INSERT INTO plugin_sheet VALUES (`+value+`, $1)`, id)
		if value != "NULL" {
			d.Exec(t, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ($1, 'u', `+value+`, 'x' || $1, 1, 1)`, uuid.NewString())
		}
	}
	good := newFile(t, d)
	everyStep(ctx, t, repo.NewEngine(db), append(kept, good), good)
	deleted, err := remove(ctx, db, kept...)
	require.NoError(t, err)
	require.Empty(t, deleted)
}

// TestATimeThatIsNoNumberMakesNoFileOld: a migration by hand left texts in a column
// of numbers. Their year is no age; doctor says so, and the value is not quoted.
func TestATimeThatIsNoNumberMakesNoFileOld(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLite(t)
	db, ctx := open(t, d), context.Background()
	ages := repo.Ages{Min: time.Hour, Pending: 48 * time.Hour}
	young, pending, number := newFile(t, d), newFile(t, d), newFile(t, d)
	d.Exec(t, `UPDATE file SET created_at = '2026-11-28 10:00:00', updated_at = NULL WHERE id = $1`, young)
	d.Exec(t, `UPDATE file SET created_at = 'yesterday', updated_at = 'today', data = '{"status":"pending"}' WHERE id = $1`, pending)
	d.Exec(t, `UPDATE file SET created_at = '1500000000', updated_at = NULL WHERE id = $1`, number)
	require.NoError(t, db.IndexAll(ctx, nil))
	require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		require.NoError(t, db.UpsertRowCandidates(ctx, tx, 1))
		locked, err := db.Lock(ctx, tx, []string{young, pending, number}, ages)
		require.NoError(t, err)
		ripe := map[string]time.Duration{}
		for _, f := range locked.Files {
			ripe[f.ID] = f.EligibleIn
		}
		require.Positive(t, ripe[young])
		require.Greater(t, ripe[pending], 47*time.Hour)
		require.Negative(t, ripe[number])
		return err
	}))
	require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		page, err := db.ListCandidates(ctx, tx, repo.FromRows, ages, "", 10)
		require.NoError(t, err)
		require.Len(t, page, 3)
		for _, c := range page {
			require.Equal(t, c.FileID == number, c.DueIn <= 0, c.FileID)
		}
		return err
	}))
	found, err := db.CheckDatabase(ctx)
	require.NoError(t, err)
	details := ""
	for _, f := range found {
		details += f.Check + ": " + f.Detail + " " + f.Remedy + "\n"
	}
	require.Contains(t, details, `file.created_at, declared as "BIGINT", holds text in 2 rows`)
	require.Contains(t, details, "UPDATE file SET")
	require.NotContains(t, details, "yesterday")
}
