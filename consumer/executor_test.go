package consumer

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

	"pruned/repo"
	"pruned/repo/repotest"
	"pruned/vectors"
)

// entomb writes tombstones as a transaction does.
func (i *installation) entomb(t *testing.T, tombstones ...repo.Tombstone) {
	t.Helper()
	require.NoError(t, i.db.InTx(t.Context(), nil, func(tx repo.Tx) error { return i.db.Entomb(t.Context(), tx, tombstones) }))
}

func (i *installation) tombstones(t *testing.T) int {
	t.Helper()
	return repotest.Value[int](t, i.Database, `SELECT count(*) FROM pruned.tombstone`)
}

func TestBytesWaitForTheirTime(t *testing.T) {
	t.Parallel()
	i := install(t)
	file := i.file(t)
	i.refresh(t)
	x := i.transaction()
	x.BytesDelay = hour
	require.Equal(t, Deleted, run(t, x, file)[file].Outcome)
	due, err := i.executor(t).Due(t.Context())
	require.NoError(t, err)
	require.False(t, due, "a drain does not wait for it")
	require.Equal(t, left{bytes: 1}, i.left(t, file))

	i.Exec(t, `UPDATE pruned.tombstone SET due_at = due_at - interval '1 hour'`)
	i.carryOut(t)
	require.Equal(t, nothing, i.left(t, file))
	require.Zero(t, i.tombstones(t))
}

func TestTombstonesOfLivingFilesAreDropped(t *testing.T) {
	t.Parallel()
	i := install(t)
	restored, sharing, shared := i.file(t), repotest.NewID(), i.file(t)
	i.chunks(t, sharing)
	name := repotest.StoredName(shared, "document.pdf")
	i.entomb(t,
		repo.Tombstone{Kind: repo.Bytes, FileID: restored, Name: repotest.StoredName(restored, "document.pdf")},
		repo.Tombstone{Kind: repo.Vectors, FileID: restored},
		repo.Tombstone{Kind: repo.Bytes, FileID: sharing, Name: name}, // its row's path was another's
		repo.Tombstone{Kind: repo.Vectors, FileID: sharing})
	i.Exec(t, `INSERT INTO pruned.ledger (file_id, outcome) VALUES ($1, 'deleted')`, sharing)
	i.carryOut(t)
	require.Equal(t, whole, i.left(t, restored))
	require.Equal(t, whole, i.left(t, shared))
	require.Equal(t, nothing, i.left(t, sharing))
	require.Zero(t, i.tombstones(t))
	require.Contains(t, entries(t, i, sharing)[0].Note, "bytes kept")
}

func TestTombstonesOfAnotherDatabaseAreLeftAlone(t *testing.T) {
	t.Parallel()
	i := install(t)
	file := repotest.NewID()
	i.chunks(t, file)
	repotest.WriteBytes(t, i.uploads, file, "document.pdf")
	i.entomb(t, repo.Tombstone{Kind: repo.Bytes, FileID: file, Name: repotest.StoredName(file, "document.pdf")},
		repo.Tombstone{Kind: repo.Vectors, FileID: file})
	i.Exec(t, `UPDATE pruned.tombstone SET identity = 'another/1/public'`)
	due, err := i.executor(t).Due(t.Context())
	require.NoError(t, err)
	require.False(t, due)
	require.Equal(t, left{chunks: chunksOfAFile, bytes: 1}, i.left(t, file))
	require.Equal(t, 2, i.tombstones(t))
}

// What leaves the folder closes its tombstone, and stays in the ledger.
func TestBytesOutsideTheFolderStay(t *testing.T) {
	t.Parallel()
	i := install(t)
	outside := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(outside, []byte("x"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(i.uploads, "link")))
	require.NoError(t, os.Mkdir(filepath.Join(i.uploads, "folder"), 0o755))
	for _, name := range []string{"..", ".", "../secret", outside, "link", "folder"} {
		file := repotest.NewID()
		i.Exec(t, `INSERT INTO pruned.ledger (file_id, outcome) VALUES ($1, 'deleted')`, file)
		i.entomb(t, repo.Tombstone{Kind: repo.Bytes, FileID: file, Name: name})
		i.carryOut(t)
		require.Zero(t, i.tombstones(t), name)
		require.Contains(t, entries(t, i, file)[0].Note, "left alone", name)
	}
	require.FileExists(t, outside)
	require.DirExists(t, filepath.Join(i.uploads, "folder"))
}

// Bytes that cannot be removed are tried again, each time later, and hold up
// neither the others nor a drain.
func TestBytesThatFailArePostponed(t *testing.T) {
	t.Parallel()
	i := install(t)
	x := i.executor(t)
	stuck := repotest.NewID()
	x.Blobs = failing{x.Blobs, stuck}
	var files []string
	for n := range 5 {
		file := repotest.NewID()
		if n == 2 {
			file = stuck
		}
		files = append(files, file)
		repotest.WriteBytes(t, i.uploads, file, "document.pdf")
		i.entomb(t, repo.Tombstone{Kind: repo.Bytes, FileID: file, Name: repotest.StoredName(file, "document.pdf")})
	}
	for attempt, minutes := range []float64{1, 2, 4, 8, 16, 32, 60, 60} {
		due, err := x.Due(t.Context())
		require.NoError(t, err)
		require.False(t, due)
		require.Equal(t, attempt+1, repotest.Value[int](t, i.Database, `SELECT attempts FROM pruned.tombstone`))
		require.Equal(t, errStuck.Error(), repotest.Value[string](t, i.Database, `SELECT error FROM pruned.tombstone`))
		require.InDelta(t, minutes, repotest.Value[float64](t, i.Database,
			`SELECT extract(epoch FROM due_at - clock_timestamp())::float8 / 60 FROM pruned.tombstone`), 1)
		i.Exec(t, `UPDATE pruned.tombstone SET due_at = clock_timestamp()`)
	}
	for _, file := range files {
		if file != stuck {
			require.Equal(t, nothing, i.left(t, file))
		}
	}
	x.Blobs = i.blobs
	require.NoError(t, x.CarryOut(t.Context()))
	require.Equal(t, nothing, i.left(t, stuck))
	require.Zero(t, i.tombstones(t))
}

var errStuck = errors.New("stuck")

// failing cannot remove the bytes of one file.
type failing struct {
	repo.Blobs
	file string
}

func (f failing) Remove(ctx context.Context, names []string) (map[string]error, error) {
	if stuck := repotest.StoredName(f.file, "document.pdf"); slices.Contains(names, stuck) {
		return map[string]error{stuck: errStuck}, nil
	}
	return f.Blobs.Remove(ctx, names)
}

// Without an index on the chunks' files a look for them is a scan, whatever the
// number of files: there is one for all.
func TestVectorsWithoutAnIndexTakeOneScan(t *testing.T) {
	t.Parallel()
	i := installOn(t, repotest.New(t, repotest.Vectors(small)))
	files := i.files(t, 50)
	i.refresh(t)
	run(t, i.transaction(), files...)
	require.Equal(t, 50, repotest.Value[int](t, i.Database, `SELECT count(*) FROM document_chunk`), "those in the knowledge base are left")
	x := i.executor(t)
	counting := &countingStore{Store: x.Vectors}
	x.Vectors = counting
	require.NoError(t, x.CarryOut(t.Context()))
	require.Equal(t, 1, counting.removals)
	for _, file := range files {
		require.Equal(t, nothing, i.left(t, file))
	}
	require.Zero(t, i.tombstones(t))
}

type countingStore struct {
	vectors.Store
	removals int
}

func (s *countingStore) Remove(ctx context.Context, tx vectors.Tx, ids []string) (vectors.Removed, error) {
	s.removals++
	return s.Store.Remove(ctx, tx, ids)
}

// Chunks that can never go are postponed alone; neither the other vectors nor
// any bytes wait for them.
func TestVectorsThatFailArePostponed(t *testing.T) {
	t.Parallel()
	i := installOn(t, repotest.New(t, repotest.Vectors(small)))
	files := i.files(t, 20)
	stuck := files[13]
	i.refresh(t)
	run(t, i.transaction(), files...)
	i.Exec(t, fmt.Sprintf(obstacles[4].sql, stuck))
	due, err := i.executor(t).Due(t.Context())
	require.NoError(t, err)
	require.False(t, due)
	for _, file := range files {
		if file != stuck {
			require.Equal(t, nothing, i.left(t, file))
		}
	}
	require.Equal(t, left{chunks: 1}, i.left(t, stuck))
	require.Contains(t, repotest.Value[string](t, i.Database, `SELECT error FROM pruned.tombstone`), "legal hold")

	i.Exec(t, `DROP TRIGGER refuse ON document_chunk; UPDATE pruned.tombstone SET due_at = clock_timestamp()`)
	i.carryOut(t)
	require.Equal(t, nothing, i.left(t, stuck))
}

// A vector store that does not answer does not keep bytes.
func TestBytesGoWithoutTheVectorStore(t *testing.T) {
	t.Parallel()
	i := install(t)
	file := repotest.NewID()
	repotest.WriteBytes(t, i.uploads, file, "document.pdf")
	i.entomb(t, repo.Tombstone{Kind: repo.Vectors, FileID: file},
		repo.Tombstone{Kind: repo.Bytes, FileID: file, Name: repotest.StoredName(file, "document.pdf")})
	x := i.executor(t)
	x.Vectors = deafStore{x.Vectors}
	due, err := x.Due(t.Context())
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.True(t, due)
	require.Equal(t, nothing, i.left(t, file))
	require.Equal(t, 1, i.tombstones(t))
}

type deafStore struct{ vectors.Store }

func (deafStore) Remove(context.Context, vectors.Tx, []string) (vectors.Removed, error) {
	return vectors.Removed{}, vectors.ErrUnusable
}

// Run carries out what comes due, and ends with its context.
func TestExecutorRuns(t *testing.T) {
	t.Parallel()
	i := install(t)
	file := repotest.NewID()
	repotest.WriteBytes(t, i.uploads, file, "document.pdf")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		i.executor(t).Run(ctx, time.Millisecond)
	}()
	i.entomb(t, repo.Tombstone{Kind: repo.Bytes, FileID: file, Name: repotest.StoredName(file, "document.pdf")})
	require.Eventually(t, func() bool { return i.tombstones(t) == 0 }, patience, pollEvery)
	cancel()
	await(t, ended)
	require.Equal(t, nothing, i.left(t, file))
}
