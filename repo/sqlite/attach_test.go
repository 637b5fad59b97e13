package sqlite_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// TestNothingThatIsAttachedIsDeleted: an application attaches files by text as fast
// as it can, each only while it is there, and has its log begun anew all the time.
// Whatever it attached must stay.
func TestNothingThatIsAttachedIsDeleted(t *testing.T) {
	t.Parallel()
	for name, d := range both(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, ctx := open(t, d), context.Background()
			ids := newFiles(t, d, 200)
			require.NoError(t, db.IndexAll(ctx, nil))
			done := make(chan struct{})
			var application sync.WaitGroup
			application.Go(func() { attach(t, d, ids, done) })
			deleted := 0
			for batch := range slices.Chunk(ids, 10) {
				for {
					gone, err := remove(ctx, db, batch...)
					if err == nil {
						deleted += len(gone)
						break
					}
					require.Equal(t, repo.Passing, repo.KindOf(err), "%v", err)
				}
			}
			close(done)
			application.Wait()
			require.Positive(t, deleted)
			require.Zero(t, d.Count(t, `SELECT count(*) FROM note WHERE title NOT IN (SELECT id FROM file)`))
			require.Zero(t, d.Count(t, `SELECT count(*) FROM prompt WHERE substr(content, -36) NOT IN (SELECT id FROM file)`))
			require.EqualValues(t, 200-deleted, d.Count(t, `SELECT count(*) FROM file`))
		})
	}
}

// attach mentions files at random, in short rows and in long ones that keep their
// length.
func attach(t *testing.T, d *testenv.SQLite, ids []string, done chan struct{}) {
	_, err := d.DB.Exec(`INSERT INTO prompt (id, user_id, name, content, created_at, updated_at)
		SELECT 'long', 'u', 'n', hex(zeroblob(10000)) || id, 1, 1 FROM file ORDER BY rowid DESC LIMIT 1`)
	require.NoError(t, err)
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		default:
		}
		id := ids[rand.IntN(len(ids))]
		_, err := d.DB.Exec(`INSERT INTO note (id, user_id, title, created_at, updated_at) SELECT ?1, 'u', ?2, 1, 1 FROM file WHERE id = ?2`, uuid.NewString(), id)
		require.NoError(t, err)
		_, err = d.DB.Exec(`UPDATE prompt SET content = hex(zeroblob(10000)) || ?1 WHERE EXISTS (SELECT 1 FROM file WHERE id = ?1)`, id)
		require.NoError(t, err)
		if i%20 == 0 {
			_, err = d.DB.Exec(`PRAGMA wal_checkpoint(RESTART)`)
			require.NoError(t, err)
		}
	}
}
