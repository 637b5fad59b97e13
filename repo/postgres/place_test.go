package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// Two daemons on two schemas of one database had one schema pruned, and made its index
// anew for ever. The second one is refused, by every command, before it changes anything.
func TestBesideOthersTwoSchemasShareNoIndex(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 1)
	insertMention(t, d, ids[0])
	refresh(t, db)
	d.Exec(t, `CREATE SCHEMA second; CREATE TABLE second.file (LIKE public.file INCLUDING ALL); CREATE TABLE second.alembic_version (LIKE public.alembic_version);
		CREATE TABLE second.auth (LIKE public.auth); CREATE TABLE second.chat (LIKE public.chat); CREATE TABLE second."user" (LIKE public."user")`)
	for range 2 {
		_, err := postgres.Open(t.Context(), postgres.Options{URL: d.URL, Schema: "second"})
		require.ErrorContains(t, err, "schema pruned is that of the installation in schema "+d.Schema)
		require.Equal(t, repo.Environment, repo.KindOf(err))
		requireKept(t, db, ids...)
		// Before there were places the index alone told.
		d.Exec(t, `DELETE FROM pruned.place`)
	}
	d.Exec(t, `DROP TABLE second.alembic_version`)
	d.Exec(t, `ALTER SCHEMA `+d.Schema+` RENAME TO renamed`)
	renamed := openWith(t, postgres.Options{URL: d.URL, Schema: "renamed"})
	refresh(t, renamed)
	requireKept(t, renamed, ids...)
}

// Replicas that start at once on a new database are one installation.
func TestIdentityOfReplicasThatStartTogether(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	const replicas = 4
	keys := make(chan string, replicas)
	for range replicas {
		go func() {
			db, err := postgres.Open(context.Background(), postgres.Options{URL: d.URL, Schema: d.Schema})
			if err == nil {
				defer db.Close()
				err = db.Migrate(context.Background())
			}
			if err != nil {
				keys <- err.Error()
				return
			}
			keys <- db.Identity().Key
		}()
	}
	first := <-keys
	for range replicas - 1 {
		require.Equal(t, first, <-keys)
	}
	require.Equal(t, 1, testenv.Value[int](t, d, `SELECT count(*) FROM pruned.place`))
}

// A database that an earlier version swept, which remembered no places, goes on.
func TestIdentityOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	base := db.Installation()
	d.Exec(t, `DELETE FROM pruned.place; SELECT nextval('pruned.sweep')`)
	again := open(t, d).Identity()
	require.Contains(t, db.Identity().Key, again.Key+"/")
	require.Equal(t, base.System, again.Key[:len(base.System)])
	require.Empty(t, again.Elsewhere)
}
