package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// Capture: the application writes on whatever becomes of our tables, and nothing is left when
// it ends.
func TestCaptureEnds(t *testing.T) {
	t.Parallel()
	triggers := `SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pruned%'`
	for name, end := range map[string]func(t *testing.T, d *testenv.Database, db *postgres.DB){
		"released": func(t *testing.T, _ *testenv.Database, db *postgres.DB) {
			require.NoError(t, db.ReleaseChanges(t.Context()))
		},
		"uninstalled": func(t *testing.T, _ *testenv.Database, db *postgres.DB) {
			require.NoError(t, db.Uninstall(t.Context()))
		},
		"our schema dropped":      func(t *testing.T, d *testenv.Database, _ *postgres.DB) { d.Exec(t, `DROP SCHEMA pruned CASCADE`) },
		"our table alone dropped": func(t *testing.T, d *testenv.Database, _ *postgres.DB) { d.Exec(t, `DROP TABLE pruned.captured`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testenv.New(t)
			db := open(t, d)
			refresh(t, db)
			_, _, err := db.CaptureChanges(t.Context())
			require.NoError(t, err)
			require.NotZero(t, testenv.Value[int](t, d, triggers))
			end(t, d, db)
			if name != "our table alone dropped" {
				require.Zero(t, testenv.Value[int](t, d, triggers))
			}
			insertMention(t, d, uuid.NewString())
			d.Exec(t, `UPDATE note SET title = 'x'`)
		})
	}
}

// Capture: where the application and a release wait for each other, the release gives way
// before PostgreSQL looks for a deadlock, and comes again.
func TestReleaseGivesWay(t *testing.T) {
	t.Parallel()
	server := testenv.NewServer(t, testenv.ServerOptions{Settings: []string{"deadlock_timeout=500ms"}})
	d := server.New(t)
	db := open(t, d)
	refresh(t, db)
	_, _, err := db.CaptureChanges(t.Context())
	require.NoError(t, err)
	// Triggers go from the one that was made last to the first.
	const tables = `SELECT quote_ident(relname) FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE tgname = 'pruned_captures_insert' ORDER BY pg_trigger.oid `
	first, last := testenv.Value[string](t, d, tables+`LIMIT 1`), testenv.Value[string](t, d, tables+`DESC LIMIT 1`)
	app := d.Conn(t)
	exec(t, app, `BEGIN; LOCK TABLE `+first+` IN ROW EXCLUSIVE MODE`)
	released := make(chan error, 1)
	go func() { released <- db.ReleaseChanges(context.WithoutCancel(t.Context())) }()
	require.Eventually(t, func() bool { // it has others locked by then
		return testenv.Value[bool](t, d, `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = $1::regclass)`, first)
	}, testTimeout, time.Millisecond)
	exec(t, app, `LOCK TABLE `+last+` IN ROW EXCLUSIVE MODE; COMMIT`)
	require.NoError(t, <-released)
}

// Capture: while the statements of Grants hand our tables to another role, one after the other,
// the application writes on.
func TestCaptureChangesHands(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	db := open(t, d)
	refresh(t, db)
	capture(t, d, db)
	admin := d.Conn(t)
	for range 2 { // from a superuser, and from a role that may do nothing else
		role := "r_" + strings.ReplaceAll(uuid.NewString(), "-", "")
		d.Exec(t, `CREATE ROLE `+role)
		t.Cleanup(func() {
			d.Exec(t, `REASSIGN OWNED BY `+role+` TO CURRENT_USER`)
			d.Exec(t, `DROP OWNED BY `+role)
			d.Exec(t, `DROP ROLE `+role)
		})
		grants, err := db.Grants(t.Context(), role)
		require.NoError(t, err)
		for _, statement := range grants {
			exec(t, admin, statement)
			if admin.PgConn().TxStatus() == 'I' {
				insertMention(t, d, "of no file")
			}
		}
	}
}
