package reap_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
	"pruned/vectors"
)

func TestBytesWaitForTheirTime(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file := i.AddFile(t)
	i.RefreshIndex(t)
	x := i.NewTransaction()
	x.BytesDelay = time.Hour
	require.Equal(t, event.Deleted, fixture.RunTransaction(t, x, file)[file].Outcome)
	due, err := i.NewReaper(t).Due(t.Context())
	require.NoError(t, err)
	require.False(t, due, "a drain does not wait for it")
	require.Equal(t, fixture.Left{Bytes: 1}, i.LeftOf(t, file))

	i.Exec(t, `UPDATE pruned.tombstone SET due_at = due_at - interval '1 hour'`)
	i.DrainTombstones(t)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
	require.Zero(t, i.CountTombstones(t))
}

func TestTombstonesOfLivingFilesAreDropped(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	restored, sharing, shared := i.AddFile(t), testenv.NewID(), i.AddFile(t)
	i.AddChunks(t, sharing)
	name := testenv.StoredName(shared, "document.pdf")
	i.AddTombstones(t,
		repo.Tombstone{Kind: repo.Bytes, FileID: restored, Name: testenv.StoredName(restored, "document.pdf")},
		repo.Tombstone{Kind: repo.Vectors, FileID: restored},
		repo.Tombstone{Kind: repo.Bytes, FileID: sharing, Name: name}, // its row's path was another's
		repo.Tombstone{Kind: repo.Vectors, FileID: sharing})
	i.Exec(t, `INSERT INTO pruned.ledger (file_id, outcome) VALUES ($1, 'deleted')`, sharing)
	i.DrainTombstones(t)
	require.Equal(t, fixture.Whole, i.LeftOf(t, restored))
	require.Equal(t, fixture.Whole, i.LeftOf(t, shared))
	require.Equal(t, fixture.Nothing, i.LeftOf(t, sharing))
	require.Zero(t, i.CountTombstones(t))
	require.Contains(t, fixture.LedgerOf(t, i, sharing)[0].Note, "bytes kept")
}

func TestTombstonesOfAnotherDatabaseAreLeftAlone(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file := testenv.NewID()
	i.AddChunks(t, file)
	testenv.WriteBytes(t, i.Uploads, file, "document.pdf")
	i.AddTombstones(t, repo.Tombstone{Kind: repo.Bytes, FileID: file, Name: testenv.StoredName(file, "document.pdf")},
		repo.Tombstone{Kind: repo.Vectors, FileID: file})
	i.Exec(t, `UPDATE pruned.tombstone SET identity = 'another/1/public'`)
	due, err := i.NewReaper(t).Due(t.Context())
	require.NoError(t, err)
	require.False(t, due)
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, file))
	require.Equal(t, 2, i.CountTombstones(t))
}

// What leaves the folder closes its tombstone, and stays in the ledger.
func TestBytesOutsideTheFolderStay(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	outside := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(outside, []byte("x"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(i.Uploads, "link")))
	require.NoError(t, os.Mkdir(filepath.Join(i.Uploads, "folder"), 0o755))
	for _, name := range []string{"..", ".", "../secret", outside, "link", "folder"} {
		file := testenv.NewID()
		i.Exec(t, `INSERT INTO pruned.ledger (file_id, outcome) VALUES ($1, 'deleted')`, file)
		i.AddTombstones(t, repo.Tombstone{Kind: repo.Bytes, FileID: file, Name: name})
		i.DrainTombstones(t)
		require.Zero(t, i.CountTombstones(t), name)
		require.Contains(t, fixture.LedgerOf(t, i, file)[0].Note, "left alone", name)
	}
	require.FileExists(t, outside)
	require.DirExists(t, filepath.Join(i.Uploads, "folder"))
}

// Bytes that cannot be removed are tried again, each time later, and hold up
// neither the others nor a drain.
func TestBytesThatFailArePostponed(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	x := i.NewReaper(t)
	stuck := testenv.NewID()
	x.Blobs = failing{x.Blobs, stuck}
	var files []string
	for n := range 5 {
		file := testenv.NewID()
		if n == 2 {
			file = stuck
		}
		files = append(files, file)
		testenv.WriteBytes(t, i.Uploads, file, "document.pdf")
		i.AddTombstones(t, repo.Tombstone{Kind: repo.Bytes, FileID: file, Name: testenv.StoredName(file, "document.pdf")})
	}
	for attempt, minutes := range []float64{1, 2, 4, 8, 16, 32, 60, 60} {
		due, err := x.Due(t.Context())
		require.NoError(t, err)
		require.False(t, due)
		require.Equal(t, attempt+1, testenv.Value[int](t, i.Database, `SELECT attempts FROM pruned.tombstone`))
		require.Equal(t, errStuck.Error(), testenv.Value[string](t, i.Database, `SELECT error FROM pruned.tombstone`))
		require.InDelta(t, minutes, testenv.Value[float64](t, i.Database,
			`SELECT extract(epoch FROM due_at - clock_timestamp())::float8 / 60 FROM pruned.tombstone`), 1)
		i.Exec(t, `UPDATE pruned.tombstone SET due_at = clock_timestamp()`)
	}
	for _, file := range files {
		if file != stuck {
			require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
		}
	}
	x.Blobs = i.ApprovedBlobs()
	require.NoError(t, x.Drain(t.Context()))
	require.Equal(t, fixture.Nothing, i.LeftOf(t, stuck))
	require.Zero(t, i.CountTombstones(t))
}

var errStuck = errors.New("stuck")

// failing cannot remove the bytes of one file.
type failing struct {
	repo.Blobs
	file string
}

func (f failing) Remove(ctx context.Context, names []string) (map[string]error, error) {
	if stuck := testenv.StoredName(f.file, "document.pdf"); slices.Contains(names, stuck) {
		return map[string]error{stuck: errStuck}, nil
	}
	return f.Blobs.Remove(ctx, names)
}

// Without an index on the chunks' files a look for them is a scan, whatever the
// number of files: there is one for all.
func TestVectorsWithoutAnIndexTakeOneScan(t *testing.T) {
	t.Parallel()
	i := fixture.InstallOn(t, testenv.New(t, testenv.Vectors(fixture.SmallVectors)))
	files := i.AddFiles(t, 50)
	i.RefreshIndex(t)
	fixture.RunTransaction(t, i.NewTransaction(), files...)
	require.Equal(t, 50, testenv.Value[int](t, i.Database, `SELECT count(*) FROM document_chunk`), "those in the knowledge base are left")
	x := i.NewReaper(t)
	counting := &countingStore{Transactional: x.Vectors.(vectors.Transactional)}
	x.Vectors = counting
	require.NoError(t, x.Drain(t.Context()))
	require.Equal(t, 1, counting.removals)
	for _, file := range files {
		require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
	}
	require.Zero(t, i.CountTombstones(t))
}

type countingStore struct {
	vectors.Transactional
	removals int
}

func (s *countingStore) Remove(ctx context.Context, tx vectors.Tx, ids []string) (vectors.Removed, error) {
	s.removals++
	return s.Transactional.Remove(ctx, tx, ids)
}

// Chunks that can never go are postponed alone; neither the other vectors nor
// any bytes wait for them.
func TestVectorsThatFailArePostponed(t *testing.T) {
	t.Parallel()
	i := fixture.InstallOn(t, testenv.New(t, testenv.Vectors(fixture.SmallVectors)))
	files := i.AddFiles(t, 20)
	stuck := files[13]
	i.RefreshIndex(t)
	fixture.RunTransaction(t, i.NewTransaction(), files...)
	i.Exec(t, fmt.Sprintf(legalHold, stuck))
	due, err := i.NewReaper(t).Due(t.Context())
	require.NoError(t, err)
	require.False(t, due)
	for _, file := range files {
		if file != stuck {
			require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
		}
	}
	require.Equal(t, fixture.Left{Chunks: 1}, i.LeftOf(t, stuck))
	require.Contains(t, testenv.Value[string](t, i.Database, `SELECT error FROM pruned.tombstone`), "legal hold")

	i.Exec(t, `DROP TRIGGER refuse ON document_chunk; UPDATE pruned.tombstone SET due_at = clock_timestamp()`)
	i.DrainTombstones(t)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, stuck))
}

// A vector store that does not answer does not keep bytes.
func TestBytesGoWithoutTheVectorStore(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file := testenv.NewID()
	testenv.WriteBytes(t, i.Uploads, file, "document.pdf")
	i.AddTombstones(t, repo.Tombstone{Kind: repo.Vectors, FileID: file},
		repo.Tombstone{Kind: repo.Bytes, FileID: file, Name: testenv.StoredName(file, "document.pdf")})
	x := i.NewReaper(t)
	x.Vectors = deafStore{x.Vectors}
	due, err := x.Due(t.Context())
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.True(t, due)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
	require.Equal(t, 1, i.CountTombstones(t))
}

type deafStore struct{ vectors.Store }

func (deafStore) Remove(context.Context, vectors.Tx, []string) (vectors.Removed, error) {
	return vectors.Removed{}, vectors.ErrUnusable
}

// Run carries out what comes due, and ends with its context.
func TestExecutorRuns(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file := testenv.NewID()
	testenv.WriteBytes(t, i.Uploads, file, "document.pdf")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		i.NewReaper(t).Run(ctx, time.Millisecond)
	}()
	i.AddTombstones(t, repo.Tombstone{Kind: repo.Bytes, FileID: file, Name: testenv.StoredName(file, "document.pdf")})
	require.Eventually(t, func() bool { return i.CountTombstones(t) == 0 }, fixture.Patience, fixture.PollEvery)
	cancel()
	fixture.Await(t, ended)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
}

// What is expected is carried out when it is due, and not only at the next turn; what is not
// due yet stays until then.
func TestExecutorRunsWhenSomethingIsDue(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file := testenv.NewID()
	testenv.WriteBytes(t, i.Uploads, file, "document.pdf")
	x := i.NewReaper(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		x.Run(ctx, time.Hour)
	}()
	const delay = 1500 * time.Millisecond
	written := time.Now()
	i.AddTombstones(t, repo.Tombstone{Kind: repo.Bytes, FileID: file, Name: testenv.StoredName(file, "document.pdf"), Delay: delay})
	x.Expect(repo.Bytes, 0) // a turn that finds nothing due
	x.Expect(repo.Bytes, delay)
	require.Eventually(t, func() bool { return i.CountTombstones(t) == 0 }, fixture.Patience, fixture.PollEvery)
	require.GreaterOrEqual(t, time.Since(written), delay)
	cancel()
	fixture.Await(t, ended)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
}

// legalHold refuses the removal of the chunks of one file.
const legalHold = `
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'legal hold'; END $$;
	CREATE TRIGGER refuse BEFORE DELETE ON document_chunk FOR EACH ROW WHEN (OLD.vmetadata->>'file_id' = '%[1]s') EXECUTE FUNCTION refuse()`
