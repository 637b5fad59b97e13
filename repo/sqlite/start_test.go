package sqlite

import (
	"context"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// TestAStartReadsEverythingOnce: whatever is in the log when a process starts, and whoever
// writes first after its pass, batches read the pages that changed, and no others.
func TestAStartReadsEverythingOnce(t *testing.T) {
	t.Parallel()
	for _, checkpoint := range []string{"none", "PASSIVE", "RESTART", "TRUNCATE"} {
		for name, write := range map[string]func(*testing.T, *DB){
			"the program":                       func(t *testing.T, db *DB) { runBatch(t, db) },
			"the program, by other connections": func(t *testing.T, db *DB) { acquireLease(t, db) },
			"the application":                   func(t *testing.T, db *DB) { insertFile(t, db, uuid.NewString()) },
		} {
			t.Run(checkpoint+", "+name, func(t *testing.T) {
				t.Parallel()
				used := uuid.NewString()
				db, ctx := opened(t, "a text"), context.Background()
				insertFile(t, db, used)
				if checkpoint != "none" {
					_, err := db.pool.Exec(`PRAGMA wal_checkpoint(` + checkpoint + `)`)
					require.NoError(t, err)
				}
				require.NoError(t, db.IndexAll(ctx, nil))
				read := db.index
				write(t, db)
				require.Empty(t, runBatch(t, db, used).Referenced)
				// The application starts to use it, in between.
				_, err := db.pool.Exec(`INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('late', 'u', ?, 1, 1)`, used)
				require.NoError(t, err)
				require.Contains(t, runBatch(t, db, used).Referenced, used)
				requireFollowed(t, db, read)
				sweep, err := queryColumn[int](ctx, db.pool, `SELECT sweep FROM pruned_state`)
				require.NoError(t, err)
				require.Equal(t, []int{0}, sweep)
			})
		}
	}
}

// requireFollowed: the index is the one that a pass has read, brought up to date.
func requireFollowed(t *testing.T, db *DB, read *index) {
	t.Helper()
	if db.index != read { // a message would hold both
		t.Fatal("everything was read once more")
	}
}

// runBatch looks for ids, and writes something.
func runBatch(t *testing.T, db *DB, ids ...string) (look repo.References) {
	t.Helper()
	ctx := context.Background()
	require.NoError(t, db.InTx(ctx, nil, func(tx repo.Tx) (err error) {
		if look, err = db.FindReferences(ctx, tx, ids); err != nil {
			return err
		}
		return db.RecordEntries(ctx, tx, []repo.Entry{{FileID: uuid.NewString(), Outcome: "deleted"}})
	}))
	return look
}

func acquireLease(t *testing.T, db *DB) {
	t.Helper()
	leads, err := db.AcquireLease(context.Background(), "we", 1)
	require.NoError(t, err)
	require.True(t, leads)
}

func insertFile(t *testing.T, db *DB, id string) {
	t.Helper()
	_, err := db.pool.Exec(`INSERT INTO file (id, user_id, filename, created_at) VALUES (?, 'u', 'f', 1)`, id)
	require.NoError(t, err)
}

// TestPassesWithoutBatchesWriteNothing: those about one file, and those of a database
// without a log, where nothing is gained by it.
func TestPassesWithoutBatchesWriteNothing(t *testing.T) {
	t.Parallel()
	id, ctx := uuid.NewString(), context.Background()
	for journal, pass := range map[string]func(*DB) error{
		"wal":    func(db *DB) error { return db.IndexFiles(ctx, []string{id}, nil) },
		"delete": func(db *DB) error { return db.IndexAll(ctx, nil) },
	} {
		db := openedWith(t, journal, "a text")
		insertFile(t, db, id)
		before, logBefore := stateOf(t, db)
		require.NoError(t, pass(db))
		after, logAfter := stateOf(t, db)
		require.Equal(t, before, after, journal)
		require.Equal(t, logBefore, logAfter, journal)
	}
}

// stateOf is the content of a database and of its log.
func stateOf(t *testing.T, db *DB) (content, log string) {
	t.Helper()
	file, err := os.ReadFile(db.options.Path)
	require.NoError(t, err)
	frames, err := os.ReadFile(db.options.Path + "-wal")
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return string(file), string(frames)
}
