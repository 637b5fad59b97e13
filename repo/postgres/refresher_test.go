package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// Refreshers of several processes take turns, and no mark ever goes back.
func TestRefreshersTakeTurns(t *testing.T) {
	t.Parallel()
	d, first := newDB(t)
	ids := newFiles(t, d, 31)
	var work errgroup.Group
	for range 3 {
		db := open(t, d)
		work.Go(func() error { return patiently(func() error { return db.IndexAll(t.Context(), nil) }) })
	}
	require.NoError(t, work.Wait())
	d.Exec(t, `CREATE TABLE public.marks (w xid8)`)
	d.Exec(t, `CREATE FUNCTION forward() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF NEW.w < OLD.w THEN RAISE 'a mark went back'; END IF; RETURN NEW; END $$`)
	d.Exec(t, `CREATE TRIGGER forward BEFORE UPDATE ON pruned.relation FOR EACH ROW EXECUTE FUNCTION forward()`)
	refresh(t, first)
	for range 3 {
		db := open(t, d)
		work.Go(func() error {
			for range 10 {
				if err := patiently(func() error { return db.IndexChanges(t.Context()) }); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, id := range ids[:30] {
		insertMention(t, d, id)
	}
	require.NoError(t, work.Wait())
	requireKept(t, first, ids[:30]...)
	requireFree(t, first, ids[30])
}

// A refresher that waits too long for another passes; looks wait for none.
func TestLooksDoNotWaitForRefreshers(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	db := openWith(t, postgres.Options{URL: d.URL, LockTimeout: time.Second})
	ids := newFiles(t, d, 2)
	insertMention(t, d, ids[0])
	refresh(t, db)
	other := d.Conn(t)
	exec(t, other, `BEGIN; LOCK TABLE pruned.state IN EXCLUSIVE MODE; DELETE FROM pruned.reference; UPDATE pruned.relation SET w = '3', generation = 0`)
	for _, err := range []error{db.IndexChanges(t.Context()), db.IndexAll(t.Context(), nil)} {
		require.Equal(t, repo.Passing, repo.KindOf(err))
		require.Equal(t, lockNotAvailable, repo.SQLState(err))
	}
	requireKept(t, db, ids[0])
	_, err := deletion(db, ids[1:], nothing)
	require.NoError(t, err)
	exec(t, other, `ROLLBACK`)
	pass(t, db)
	requireAll(t, d, 1)
}

// The index holds nothing of files that are gone, however often they were
// mentioned.
func TestIndexForgetsVanishedFiles(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 2)
	for _, id := range ids {
		insertMention(t, d, id)
	}
	refresh(t, db)
	d.Exec(t, `DELETE FROM file WHERE id = $1`, ids[0])
	pass(t, db)
	require.Equal(t, ids[1:], testenv.Column[string](t, d, `SELECT file_id FROM pruned.known_file`))
	require.Equal(t, ids[1:], testenv.Column[string](t, d, `SELECT DISTINCT file_id FROM pruned.reference`))
	requireKept(t, db, ids[1])
}

// An id that is no UUID can be that of another file, later: its old mentions
// count for that one.
func TestReusedIDIsMentionedByOldRows(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	const id = "plugin-logo"
	testenv.InsertFile(t, d.Pool, testenv.File{ID: id})
	insertMention(t, d, id)
	refresh(t, db)
	readAll(t, d, db)
	d.Exec(t, `DELETE FROM file`)
	pass(t, db)
	testenv.InsertFile(t, d.Pool, testenv.File{ID: id, CreatedAt: time.Now()})
	pass(t, db)
	require.True(t, look(t, db, id).Unknown[id])
	refresh(t, db)
	requireKept(t, db, id)
	require.Empty(t, look(t, db, id).Unknown)
}
