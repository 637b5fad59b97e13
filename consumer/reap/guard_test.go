package reap_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/internal/fixture"
	"pruned/consumer/reap"
	"pruned/repo"
	"pruned/repo/testenv"
	"pruned/vectors"
)

// entombAll leaves of n files what their tombstones are to remove, and no row.
func entombAll(t *testing.T, i *fixture.Installation, kind string, n int) []string {
	t.Helper()
	ids := make([]string, n)
	tombstones := make([]repo.Tombstone, n)
	for k := range ids {
		ids[k] = testenv.NewID()
		i.AddChunks(t, ids[k])
		testenv.WriteBytes(t, i.Uploads, ids[k], "document.pdf")
		tombstones[k] = repo.Tombstone{Kind: kind, FileID: ids[k]}
		if kind == repo.Bytes {
			tombstones[k].Name = testenv.StoredName(ids[k], "document.pdf")
		}
	}
	i.AddTombstones(t, tombstones...)
	return ids
}

// restore brings the rows back, as a backup does.
func restore(t testing.TB, i *fixture.Installation, ids []string) {
	t.Helper()
	for _, id := range ids {
		testenv.InsertFile(t, i.Pool, testenv.File{ID: id, Path: filepath.Join(i.Uploads, testenv.StoredName(id, "document.pdf"))})
	}
}

// restoringStore lies outside the database, and sees rows come back when it removes
// for the first time.
type restoringStore struct {
	vectors.Store
	came func()
	asks int
}

func (s *restoringStore) Remove(ctx context.Context, tx vectors.Tx, ids []string) (vectors.Removed, error) {
	if s.asks++; s.asks == 1 {
		s.came()
	}
	return s.Store.Remove(ctx, tx, ids)
}

// guardingStore asks the guard itself, about each file.
type guardingStore struct{ *restoringStore }

func (s guardingStore) RemoveGuarded(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	for _, id := range ids {
		may, err := guard(ctx, []string{id})
		if err != nil {
			return removed, err
		}
		if len(may) > 0 {
			if _, err := s.Remove(ctx, nil, may); err != nil {
				return removed, err
			}
		}
	}
	return removed, nil
}

// A check and its act belong together: rows that come back while a set is carried out
// keep their vectors, all but what was being removed at that moment.
func TestCheckAndActOfVectorsOutsideTheDatabase(t *testing.T) {
	t.Parallel()
	for name, asks := range map[string]bool{"a store that asks": true, "one that does not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := fixture.Install(t)
			ids := entombAll(t, i, repo.Vectors, 40)
			x := i.NewReaper(t)
			store := &restoringStore{Store: x.Vectors, came: func() { restore(t, i, ids[1:]) }}
			if x.Vectors = store; asks {
				x.Vectors = guardingStore{store}
			}
			require.NoError(t, x.Drain(t.Context()))
			require.Equal(t, fixture.Left{Bytes: 1}, i.LeftOf(t, ids[0]))
			for _, id := range ids[1:] {
				require.Equal(t, fixture.Whole, i.LeftOf(t, id))
			}
			require.Zero(t, i.CountTombstones(t))
			require.Equal(t, 1, store.asks)
		})
	}
}

// joinedStore sees rows come back while its transaction removes.
type joinedStore struct {
	vectors.Transactional
	came func()
}

func (s *joinedStore) Remove(ctx context.Context, tx vectors.Tx, ids []string) (vectors.Removed, error) {
	if came := s.came; came != nil {
		s.came = nil
		came()
	}
	return s.Transactional.Remove(ctx, tx, ids)
}

// A check and its act belong together: in the database itself they are one
// transaction, which takes nothing that came back.
func TestCheckAndActOfVectorsInTheDatabase(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	ids := entombAll(t, i, repo.Vectors, 40)
	x := i.NewReaper(t)
	x.Vectors = &joinedStore{x.Vectors.(vectors.Transactional), func() { restore(t, i, ids[1:]) }}
	require.NoError(t, x.Drain(t.Context()))
	require.Equal(t, fixture.Left{Bytes: 1}, i.LeftOf(t, ids[0]))
	for _, id := range ids[1:] {
		require.Equal(t, fixture.Whole, i.LeftOf(t, id))
	}
	require.Zero(t, i.CountTombstones(t))
}

// restoringBlobs see rows come back when the first object is removed.
type restoringBlobs struct {
	repo.Blobs
	came func()
}

func (b *restoringBlobs) Remove(ctx context.Context, names []string) (map[string]error, error) {
	if came := b.came; came != nil {
		b.came = nil
		came()
	}
	return b.Blobs.Remove(ctx, names)
}

// A check and its act belong together: bytes too, also by default, where an answer is
// believed for a moment and a removal takes longer than that.
func TestCheckAndActOfBytes(t *testing.T) {
	t.Parallel()
	for name, each := range map[string]bool{"asked each time": true, "a store that takes its time": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := fixture.Install(t)
			ids := entombAll(t, i, repo.Bytes, 40)
			x := i.NewReaper(t)
			if each {
				x.AskEachTime()
			}
			x.Blobs = &restoringBlobs{x.Blobs, func() {
				began := time.Now()
				restore(t, i, ids[1:])
				require.Eventually(t, func() bool { return time.Since(began) > 2*reap.MaxAnswerAge }, fixture.Patience, reap.MaxAnswerAge)
			}}
			require.NoError(t, x.Drain(t.Context()))
			require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, ids[0]))
			for _, id := range ids[1:] {
				require.Equal(t, fixture.Whole, i.LeftOf(t, id))
			}
			require.Zero(t, i.CountTombstones(t))
		})
	}
}

// A check and its act belong together: names are looked for again too. A plugin's row
// begins to share the bytes of the last file while those of the first are removed.
func TestCheckAndActOfBytesThatAreShared(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	ids := entombAll(t, i, repo.Bytes, 150)
	last := ids[len(ids)-1]
	x := i.NewReaper(t)
	x.AskEachTime()
	x.Blobs = &restoringBlobs{x.Blobs, func() {
		i.Exec(t, `UPDATE file SET path = '/elsewhere/' || $1 WHERE id = $2`, testenv.StoredName(last, "document.pdf"), i.AddFile(t))
	}}
	require.NoError(t, x.Drain(t.Context()))
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, ids[0]))
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, last))
	require.Zero(t, i.CountTombstones(t))
}

// A check and its act belong together: what was written since the tombstone was is
// not what the tombstone is about. A restore may bring bytes before rows.
func TestCheckAndActOfBytesThatWereWrittenSince(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	ids := entombAll(t, i, repo.Bytes, 2)
	i.Exec(t, `INSERT INTO pruned.ledger (file_id, outcome) VALUES ($1, 'deleted')`, ids[0])
	i.Exec(t, `UPDATE pruned.tombstone SET made_at = made_at - interval '1 hour' WHERE file_id = $1`, ids[0])
	i.DrainTombstones(t)
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, ids[0]))
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, ids[1]))
	require.Contains(t, fixture.LedgerOf(t, i, ids[0])[0].Note, "written since")
	require.Zero(t, i.CountTombstones(t))
}

// A check and its act belong together: while rows are missing that pruned did not
// delete, as in a restore, nothing that is due goes, neither before the first row is
// back nor with single INSERTs; and a drain ends.
func TestCheckAndActWhileRowsAreMissing(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	others := i.AddFiles(t, 4)
	ids := entombAll(t, i, repo.Bytes, 3)
	i.Exec(t, `CREATE TABLE saved AS TABLE file; DELETE FROM file`)
	x := i.NewReaper(t)
	waits := func() {
		t.Helper()
		due, err := x.Due(t.Context())
		require.NoError(t, err)
		require.False(t, due)
		for _, id := range ids {
			require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, id))
		}
		require.Equal(t, 3, i.CountTombstones(t))
		waiting, err := x.Waiting(t.Context())
		require.NoError(t, err)
		require.Zero(t, waiting.Files)
	}
	waits()
	i.Exec(t, `INSERT INTO file SELECT * FROM saved WHERE id = $1`, others[0])
	waits()
	restore(t, i, ids[:1])
	i.Exec(t, `INSERT INTO file SELECT * FROM saved WHERE id <> $1`, others[0])
	i.DrainTombstones(t)
	require.Equal(t, fixture.Whole, i.LeftOf(t, ids[0]))
	for _, id := range ids[1:] {
		require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, id))
	}
	require.Zero(t, i.CountTombstones(t))
}

// A check and its act belong together: vectors outside the database wait as well.
func TestCheckAndActOfVectorsWhileRowsAreMissing(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	i.AddFiles(t, 4)
	ids := entombAll(t, i, repo.Vectors, 3)
	i.Exec(t, `CREATE TABLE saved AS TABLE file; DELETE FROM file`)
	x := i.NewReaper(t)
	x.Vectors = fixture.DescribedVectors{Store: i.Store, As: i.Store.Info()}
	due, err := x.Due(t.Context())
	require.NoError(t, err)
	require.False(t, due)
	for _, id := range ids {
		require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, id))
	}
	require.Equal(t, 3, i.CountTombstones(t))
	i.Exec(t, `INSERT INTO file TABLE saved`)
	require.NoError(t, x.Drain(t.Context()))
	for _, id := range ids {
		require.Equal(t, fixture.Left{Bytes: 1}, i.LeftOf(t, id))
	}
}

// What pruned deleted itself is not missing, whatever is left; and what the
// application deleted holds nothing up for longer than a day.
func TestCheckAndActWhereRowsAreGone(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	ids := i.AddFiles(t, 3)
	i.RefreshIndex(t)
	for _, id := range ids {
		fixture.RunTransaction(t, i.NewTransaction(), id)
	}
	i.DrainTombstones(t)
	for _, id := range ids {
		require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
	}
	others := i.AddFiles(t, 4)
	ids = entombAll(t, i, repo.Bytes, 1)
	require.NoError(t, i.DB.ExpireOld(t.Context(), 0))
	require.Equal(t, 1, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.survivor WHERE cardinality(files) = 4`), "the line of the last batch")
	require.Equal(t, 1, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.survivor`))
	i.Exec(t, `DELETE FROM file WHERE id <> $1`, others[0])
	x := i.NewReaper(t)
	due, err := x.Due(t.Context())
	require.NoError(t, err)
	require.False(t, due)
	require.Equal(t, 1, i.CountTombstones(t))
	i.Exec(t, `UPDATE pruned.tombstone SET made_at = made_at - interval '25 h'; UPDATE pruned.survivor SET made_at = made_at - interval '25 h'`)
	x.Blobs = longWritten{x.Blobs}
	require.NoError(t, x.Drain(t.Context()))
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, ids[0]))
}

// longWritten are bytes that nobody has written for a long time.
type longWritten struct{ repo.Blobs }

func (b longWritten) Stat(ctx context.Context, name string) (blob repo.Blob, there bool, err error) {
	blob, there, err = b.Blobs.Stat(ctx, name)
	blob.Age = 30 * 24 * time.Hour
	return blob, there, err
}
