package sqlite

import (
	"context"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// TestLogOfADrainIsBounded: batches follow each other, and none needs a pass outside of the
// lock.
func TestLogOfADrainIsBounded(t *testing.T) {
	t.Parallel()
	id, ctx := uuid.NewString(), context.Background()
	db := opened(t, "a text")
	db.snapshot.minDear = 2 << 20
	insertFile(t, db, id)
	require.NoError(t, db.IndexAll(ctx, nil))
	for range 20 {
		require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
			if _, err := db.FindReferences(ctx, tx, []string{id}); err != nil {
				return err
			}
			return db.RecordEntries(ctx, tx, []repo.Entry{{FileID: uuid.NewString(), Outcome: "deleted", Reason: string(make([]byte, 400_000))}})
		}))
	}
	info, err := os.Stat(db.options.Path + "-wal")
	require.NoError(t, err)
	require.Less(t, info.Size(), 3*db.snapshot.minDear)
}

// TestTriggerOfOurDeletion: what a trigger writes where we delete is a mention like others,
// also where no log tells of it.
func TestTriggerOfOurDeletion(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"wal", "delete"} {
		gone, kept, ctx := uuid.NewString(), uuid.NewString(), context.Background()
		db := openedWith(t, journal, "a text")
		insertFile(t, db, gone)
		insertFile(t, db, kept)
		_, err := db.pool.Exec(`CREATE TRIGGER audit AFTER DELETE ON file BEGIN
			INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('audit', 'u', 'see ` + kept + `', 1, 1); END`)
		require.NoError(t, err)
		require.NoError(t, db.IndexAll(ctx, nil))
		require.Empty(t, runBatch(t, db, kept).Referenced)
		require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
			_, err := db.FindReferences(ctx, tx, []string{gone})
			require.NoError(t, err)
			_, err = db.Delete(ctx, tx, []string{gone}, 0)
			return err
		}))
		require.Contains(t, runBatch(t, db, kept).Referenced, kept, journal)
	}
}
