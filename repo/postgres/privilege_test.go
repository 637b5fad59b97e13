package postgres_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// newRole makes a role that may do what pruned needs, and returns the URL to
// connect as it.
func newRole(t testing.TB, d *testenv.Database) (name, address string) {
	t.Helper()
	name = "role_of_" + d.Name
	d.Exec(t, `CREATE ROLE `+name+` LOGIN`)
	t.Cleanup(func() {
		d.Exec(t, `DROP OWNED BY `+name+` CASCADE`)
		d.Exec(t, `DROP ROLE `+name)
	})
	d.Exec(t, `GRANT SELECT ON ALL TABLES IN SCHEMA public TO `+name)
	d.Exec(t, `GRANT UPDATE, DELETE ON file TO `+name)
	d.Exec(t, `GRANT CREATE ON DATABASE `+d.Name+` TO `+name)
	return name, roleURL(t, d, name)
}

// roleURL is where to connect as a role.
func roleURL(t testing.TB, d *testenv.Database, role string) string {
	t.Helper()
	u, err := url.Parse(d.URL)
	require.NoError(t, err)
	u.User = url.User(role)
	return u.String()
}

func openRole(t testing.TB, d *testenv.Database) (name string, db *postgres.DB) {
	t.Helper()
	name, address := newRole(t, d)
	return name, openWith(t, postgres.Options{URL: address, Schema: d.Schema})
}

func requireAll(t testing.TB, d *testenv.Database, n int) {
	t.Helper()
	require.Equal(t, n, testenv.Value[int](t, d, `SELECT count(*) FROM file`))
}

// A role with what doctor asks for, and nothing more, can do everything.
func TestPlainRoleIsEnough(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	_, db := openRole(t, d)
	ids := newFiles(t, d, 2)
	refresh(t, db)
	insertMention(t, d, ids[0])
	requireKept(t, db, ids[0])
	_, err := deletion(db, ids[1:], nothing)
	require.NoError(t, err)
	requireAll(t, d, 1)
	require.True(t, examined(t, db, "privileges").OK)
}

// Rows that a policy hides may mention files: that is an error, not an answer.
func TestHiddenRowsStopEverything(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]string{
		"some rows of a table": `ALTER TABLE note ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON note USING (user_id = current_user)`,
		"all rows of a table":  `ALTER TABLE note ENABLE ROW LEVEL SECURITY`,
		"rows of table file":   `ALTER TABLE file ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON file USING (true)`,
		"a missing parent":     `ALTER TABLE chat ENABLE ROW LEVEL SECURITY`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testenv.New(t)
			_, db := openRole(t, d)
			ids := newFiles(t, d, 2)
			insertMention(t, d, ids[0])
			refresh(t, db)
			look(t, db, ids...)
			d.Exec(t, policy)
			for _, err := range []error{
				func() error { _, err := deletion(db, ids[1:], nothing); return err }(),
				db.IndexChanges(t.Context()), db.IndexAll(t.Context(), nil),
			} {
				require.ErrorContains(t, err, "row-level security")
				require.Equal(t, repo.Environment, repo.KindOf(err))
			}
			requireAll(t, d, 2)
		})
	}
}

// A table that may not be read stops everything; the message names it and what
// helps.
func TestUnreadableTableStopsEverything(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	role, db := openRole(t, d)
	for name, revoke := range map[string]string{
		"wholly":         `REVOKE SELECT ON note FROM ROLE`,
		"but one column": `REVOKE SELECT ON note FROM ROLE; GRANT SELECT (id) ON note TO ROLE`,
		"a new one":      `CREATE TABLE extra (id int PRIMARY KEY, v text)`,
		"a parent":       `REVOKE SELECT ON chat FROM ROLE`,
		"table file":     `REVOKE SELECT ON file FROM ROLE`,
	} {
		t.Run(name, func(t *testing.T) {
			ids := newFiles(t, d, 1)
			all := testenv.Value[int](t, d, `SELECT count(*) FROM file`)
			refresh(t, db)
			look(t, db, ids...)
			d.Exec(t, strings.ReplaceAll(revoke, "ROLE", role))
			table := map[string]string{"a new one": "extra", "a parent": "chat", "table file": "file"}[name]
			if table == "" {
				table = "note"
			}
			for _, try := range []func() error{
				func() error { return db.IndexAll(t.Context(), nil) },
				func() error { _, err := deletion(db, ids, nothing); return err },
			} {
				err := try()
				require.Equal(t, repo.Environment, repo.KindOf(err))
				require.Regexp(t, `GRANT SELECT ON |pruned doctor lists the statements`, err.Error())
				require.ErrorContains(t, err, table)
			}
			requireAll(t, d, all)
			missing := examined(t, db, "privileges")
			require.False(t, missing.OK)
			require.Equal(t, 1, strings.Count(missing.Remedy, "GRANT"))
			require.Contains(t, missing.Remedy, table)
			d.Exec(t, missing.Remedy)
			refresh(t, db)
			requireFree(t, db, ids...)
		})
	}
}
