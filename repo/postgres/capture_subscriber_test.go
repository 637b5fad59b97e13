package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// Capture: what a subscription writes is noted like what the application writes itself. Its
// worker is a replica, for which no trigger of a statement fires.
func TestCaptureOfASubscriber(t *testing.T) {
	t.Parallel()
	server := testenv.NewServer(t, testenv.ServerOptions{Settings: []string{"autovacuum=off", "wal_level=logical"}})
	d, publisher := server.New(t), server.New(t)
	db := open(t, d)
	ids := newFiles(t, d, 3)
	publisher.Exec(t, `CREATE PUBLICATION notes FOR TABLE note`)
	publisher.Exec(t, `SELECT pg_create_logical_replication_slot('notes', 'pgoutput')`) // to make it with the subscription waits for ourselves
	d.Exec(t, `CREATE SUBSCRIPTION notes CONNECTION '`+publisher.URL+`' PUBLICATION notes WITH (create_slot = false, copy_data = false)`)
	t.Cleanup(func() {
		d.Exec(t, `ALTER SUBSCRIPTION notes DISABLE`)
		d.Exec(t, `ALTER SUBSCRIPTION notes SET (slot_name = NONE)`)
		d.Exec(t, `DROP SUBSCRIPTION notes`)
	})
	await := func(title string) {
		t.Helper()
		require.Eventually(t, func() bool {
			return testenv.Value[bool](t, d, `SELECT EXISTS (SELECT FROM note WHERE title = $1)`, title)
		}, testTimeout, tick)
	}
	refresh(t, db)
	capture(t, d, db)
	insertMention(t, publisher, "of no file")
	await("of no file")
	first, second := scansOf(t, db, true, ids...)
	require.Zero(t, first+second)
	insertMention(t, publisher, ids[0])
	await(ids[0])
	requireKept(t, db, ids[0])
	requireFree(t, db, ids[1:]...)
	publisher.Exec(t, `UPDATE note SET title = $1 WHERE title = 'of no file'`, ids[1])
	await(ids[1])
	pass(t, db)
	requireKept(t, db, ids[:2]...)
	requireFree(t, db, ids[2])
}
