package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// Capture: where a migration renames or drops the column that names a table's rows, the
// application writes on, as a replica too, and nothing is missed.
func TestCapturedKeyIsGone(t *testing.T) {
	t.Parallel()
	for name, migration := range map[string]string{
		"renamed": `ALTER TABLE extra RENAME id TO key`,
		"dropped": `ALTER TABLE extra DROP id; ALTER TABLE extra ADD key uuid PRIMARY KEY DEFAULT gen_random_uuid()`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testenv.New(t)
			db := open(t, d)
			ids := newFiles(t, d, 3)
			d.Exec(t, `CREATE TABLE extra (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), v text)`)
			refresh(t, db)
			capture(t, d, db)
			d.Exec(t, migration)
			d.Exec(t, `INSERT INTO extra (v) VALUES ($1)`, ids[0])
			for range 3 {
				refresh(t, db)
				requireKept(t, db, ids[0])
				requireFree(t, db, ids[2])
			}
			exec(t, d.Conn(t), `SET session_replication_role = replica; INSERT INTO extra (v) VALUES ('`+ids[1]+`')`)
			requireKept(t, db, ids[:2]...)
		})
	}
}

// Capture: a row is found that is written in a snapshot in which the key had another name.
func TestCapturedKeyIsBack(t *testing.T) {
	t.Parallel()
	d := newQuietServer(t).New(t)
	db := open(t, d)
	ids := newFiles(t, d, 2)
	d.Exec(t, `CREATE TABLE extra (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), v text)`)
	refresh(t, db)
	capture(t, d, db)
	d.Exec(t, `ALTER TABLE extra RENAME id TO key`)
	old := d.Conn(t)
	exec(t, old, `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1`)
	d.Exec(t, `ALTER TABLE extra RENAME key TO id`)
	for range 3 {
		refresh(t, db)
	}
	require.True(t, isCaptured(t, d, "extra"))
	exec(t, old, `INSERT INTO extra (v) VALUES ('`+ids[0]+`'); COMMIT`)
	requireKept(t, db, ids[0])
	requireFree(t, db, ids[1])
}

// Capture: notes under keys of another type, which the column had, stop no pass.
func TestCapturedKeyOfAnotherType(t *testing.T) {
	t.Parallel()
	d := newQuietServer(t).New(t)
	db := open(t, d)
	d.Exec(t, `CREATE TABLE extra (id text PRIMARY KEY, v text)`)
	ids := newFiles(t, d, 2)
	refresh(t, db)
	capture(t, d, db)
	long := d.Conn(t)
	exec(t, long, `BEGIN; SELECT pg_current_xact_id()`)
	d.Exec(t, `INSERT INTO extra VALUES ('no UUID', '')`)
	d.Exec(t, `DELETE FROM extra`)
	d.Exec(t, `ALTER TABLE extra ALTER id TYPE uuid USING id::uuid`)
	for range 2 {
		refresh(t, db)
	}
	exec(t, long, `COMMIT`)
	for range 3 {
		d.Exec(t, `INSERT INTO extra VALUES (gen_random_uuid(), $1)`, ids[0])
		requireKept(t, db, ids[0])
		requireFree(t, db, ids[1])
		refresh(t, db)
	}
}
