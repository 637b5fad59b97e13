package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

const (
	leftNote = `INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('left', 'gone', 'ID', 1, 1)`
	someUser = `INSERT INTO "user" (id, name, email, role, last_active_at, updated_at, created_at) VALUES ('somebody', 'n', 'e', 'user', 1, 1, 1)`
	toUser   = `INSERT INTO access_grant (id, resource_type, resource_id, principal_type, principal_id, permission, created_at)
		VALUES ('g', 'note', 'left', 'user', 'somebody', 'read', 1)`
)

// leftFile is a file that only a note of a user who is gone mentions.
func leftFile(t testing.TB, d *testenv.Database) (id string) {
	t.Helper()
	id = testenv.NewFile(t, d.Pool)
	d.Exec(t, someUser)
	d.Exec(t, withID(leftNote, id))
	return id
}

// Whoever may be about to give access keeps files like one who may be about to mention
// them; a strict deletion keeps him out for the instant that is left.
func TestDepartedBesideWhoGivesAccess(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	id := leftFile(t, d)
	plain := openWith(t, postgres.Options{URL: d.URL, Schema: d.Schema, DepartedIgnore: true})
	refresh(t, plain)
	requireFree(t, plain, id)
	writer := d.Conn(t)
	exec(t, writer, `BEGIN; `+toUser)
	plain.WaitForWriters()
	require.Contains(t, look(t, plain, id).Pending, "has written to public.access_grant")
	exec(t, writer, `ROLLBACK`)

	db := openWith(t, postgres.Options{URL: d.URL, Schema: d.Schema, DepartedIgnore: true, Strict: true})
	exec(t, writer, `SET lock_timeout = '100ms'`)
	require.ErrorIs(t, wholeDeletion(db, []string{id}, func() { d.Exec(t, toUser) }, nothing), errKept)
	d.Exec(t, `DELETE FROM access_grant`)
	require.NoError(t, wholeDeletion(db, []string{id}, nothing, func() {
		_, err := writer.Exec(t.Context(), toUser)
		require.Equal(t, lockNotAvailable, sqlState(err))
	}))
	requireAll(t, d, 0)
}

// A role that may not read the grants does by default all that it could before; where
// they count, nothing is deleted, and what it needs is said.
func TestDepartedOfARoleThatMayNotReadGrants(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	id := leftFile(t, d)
	name, address := newRole(t, d)
	keeping := openWith(t, postgres.Options{URL: address, Schema: d.Schema})
	d.Exec(t, `REVOKE SELECT ON access_grant FROM `+name)
	refresh(t, keeping)
	requireKept(t, keeping, id)
	require.Len(t, told(t, keeping, id), 1)
	requirePrivileges := func(db *postgres.DB, lacking string) {
		findings, err := db.Privileges(t.Context())
		require.NoError(t, err)
		require.Equal(t, lacking == "", findings[0].OK)
		require.Contains(t, findings[0].Remedy, lacking)
	}
	requirePrivileges(keeping, "")

	ignoring := openWith(t, postgres.Options{URL: address, Schema: d.Schema, DepartedIgnore: true})
	_, err := tryLook(ignoring, id)
	require.Equal(t, repo.Environment, repo.KindOf(err))
	require.ErrorContains(t, err, "access_grant")
	requirePrivileges(ignoring, "access_grant")
	d.Exec(t, `GRANT SELECT ON access_grant TO `+name)
	requireFree(t, ignoring, id)
	requirePrivileges(ignoring, "")
}

// What tells who can open something is not as known: every row keeps.
func TestDepartedWhereGrantsAreNotAsKnown(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"no grants":       `DROP TABLE access_grant`,
		"other types":     `ALTER TABLE note ALTER user_id TYPE bytea USING user_id::bytea`,
		"lost by a crash": `ALTER TABLE access_grant SET UNLOGGED`,
		"older grants":    `ALTER TABLE prompt ADD access_control json`,
		"another column":  `ALTER TABLE folder RENAME parent_id TO parent`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testenv.New(t)
			id := leftFile(t, d)
			d.Exec(t, sql)
			db := openWith(t, postgres.Options{URL: d.URL, Schema: d.Schema, DepartedIgnore: true})
			refresh(t, db)
			requireKept(t, db, id)
		})
	}
}

// Who gives access between the look for mentions and that for dead links keeps the file: its
// link goes with it, and tells nothing at the end.
func TestAccessThatComesWithinTheLook(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	id := testenv.NewFile(t, d.Pool)
	d.Exec(t, someUser)
	base := testenv.InsertKnowledge(t, d.Pool)
	d.Exec(t, `UPDATE knowledge SET user_id = 'gone'`)
	db := openWith(t, postgres.Options{URL: d.URL, Schema: d.Schema, DepartedIgnore: true})
	refresh(t, db)
	testenv.LinkKnowledge(t, d.Pool, base, id) // links that the index knows are asked about once more
	for _, find := range []finder{db.FindReferences, db.FindIndexed} {
		requireFree(t, db, id)
		err := db.InTx(t.Context(), nil, func(tx repo.Tx) error {
			_, err := db.Lock(t.Context(), tx, []string{id}, repo.Ages{})
			require.NoError(t, err)
			interrupted := postgres.BeforeDeadLinks(tx, func() {
				d.Exec(t, `INSERT INTO access_grant (id, resource_type, resource_id, principal_type, principal_id, permission, created_at)
					VALUES ('g', 'knowledge', $1, 'user', 'somebody', 'read', 1)`, base)
			})
			found, err := find(t.Context(), interrupted, []string{id})
			require.NoError(t, err)
			require.Empty(t, found.Referenced)
			_, err = db.Delete(t.Context(), tx, []string{id}, 0)
			require.NoError(t, err)
			appeared, err := db.RecheckReferences(t.Context(), tx, found, []string{id}, nil)
			require.NoError(t, err)
			require.Contains(t, appeared.References, id)
			return repo.ErrDryRun
		})
		require.ErrorIs(t, err, repo.ErrDryRun)
		inTx(t, db, func(tx repo.Tx) {
			found, err := find(t.Context(), tx, []string{id})
			require.NoError(t, err)
			require.Contains(t, found.Referenced, id, "the link is back, and nobody has written since")
		})
		d.Exec(t, `DELETE FROM access_grant`)
	}
}

type finder func(context.Context, repo.Tx, []string) (repo.References, error)
