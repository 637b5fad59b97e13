package consumer

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/repotest"
)

// unbind makes an installation one whose stores nobody has looked at yet.
func (i *installation) unbind(t *testing.T) {
	t.Helper()
	i.Exec(t, `DELETE FROM pruned.binding`)
}

// marked is the upload folder as the program knows it.
func (i *installation) marked() StoreInfo {
	return StoreInfo{Name: "uploads", Mark: &repo.Mark{Dir: i.uploads}}
}

func (i *installation) isBound(t *testing.T, store StoreInfo) bool {
	t.Helper()
	bound, err := Bound(t.Context(), i.db, nil, store)
	require.NoError(t, err)
	return bound
}

// reasons are why something is held, by direction.
func reasons(r SweepReport) map[repo.Direction]string {
	list := map[repo.Direction]string{}
	for _, h := range r.Holds {
		list[h.Direction] = h.Reason
	}
	return list
}

// Most of what is there is ours: nobody has to say so.
func TestOwnershipIsSeenByWhatAStoreHolds(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	i.unbind(t)
	i.used(t, 3)
	left := i.remains(t, true, true)
	s := i.sweeper(t, q)
	s.BlobStore = i.marked()
	require.False(t, i.isBound(t, s.VectorStore))
	require.NoError(t, s.Bind(t.Context()))
	for _, store := range []StoreInfo{s.VectorStore, s.BlobStore} {
		require.True(t, i.isBound(t, store))
	}
	owner, err := s.BlobStore.Mark.Owner()
	require.NoError(t, err)
	require.Equal(t, i.db.Identity().Key, owner)
	require.Empty(t, sweepOnce(t, s).Holds)
	i.consume(t, q)
	require.Equal(t, nothing, i.left(t, left))

	// The folder of other settings, and one that was made anew, carry no mark.
	other := StoreInfo{Name: s.BlobStore.Name, Mark: &repo.Mark{Dir: t.TempDir()}}
	require.False(t, i.isBound(t, other))
}

// A foreign folder, table or both: whatever the count, also where it is under every
// fraction, nothing goes, by sweeps or a person's claim, until somebody confirms.
func TestOwnershipOfAStoreThatSharesNothing(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	i.unbind(t)
	i.Exec(t, `DELETE FROM document_chunk`)
	repotest.InsertChat(t, i.Pool, repotest.Chat{Files: []string{repotest.NewFile(t, i.Pool)}})
	theirs := []string{i.remains(t, true, true), i.remains(t, true, true)}
	s := i.sweeper(t, q)
	s.BlobStore = i.marked()
	require.NoError(t, s.Bind(t.Context()))
	report := sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Equal(t, map[repo.Direction]string{
		repo.FromVectors: "only 0 of the 2 files in it belong to rows of this database",
		repo.FromBytes:   "only 0 of the 2 files in it belong to rows of this database",
	}, reasons(report))

	x, y := i.transaction(), i.executor(t)
	y.BlobStore = s.BlobStore
	require.Equal(t, Gone, run(t, x, theirs[0])[theirs[0]].Outcome)
	require.NoError(t, y.CarryOut(t.Context()))
	for _, id := range theirs {
		require.Equal(t, left{chunks: chunksOfAFile, bytes: 1}, i.left(t, id))
	}
	confirmed, _ := sweepWith(t, s, SweepOptions{Confirm: report.ID})
	require.Empty(t, confirmed.Holds)
	drain(t, q, i.batch(t, x), Options{})
	require.NoError(t, y.CarryOut(t.Context()))
	for _, id := range theirs {
		require.Equal(t, nothing, i.left(t, id))
	}
}

// What was bound long ago may have been replaced.
func TestOwnershipOfABoundStoreWhoseContentWasReplaced(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	used := i.used(t, 3)
	s := i.sweeper(t, q)
	require.Empty(t, sweepOnce(t, s).Holds)
	i.Exec(t, `DELETE FROM document_chunk`)
	for _, id := range used {
		require.NoError(t, os.Remove(filepath.Join(i.uploads, repotest.StoredName(id, "document.pdf"))))
	}
	theirs := i.remains(t, true, true)
	report := sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Equal(t, "not one of the 1 files in it belongs to a row of this database", reasons(report)[repo.FromBytes])
	require.Equal(t, reasons(report)[repo.FromBytes], reasons(report)[repo.FromVectors])
	i.consume(t, q)
	require.Equal(t, left{chunks: chunksOfAFile, bytes: 1}, i.left(t, theirs))
}

// A copy of a database beside the original's folder knows most of it.
func TestOwnershipMarkOfAnotherInstallationHoldsTheFolder(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	i.unbind(t)
	i.used(t, 5)
	doomed, original := i.file(t), i.remains(t, false, true)
	s, y := i.sweeper(t, q), i.executor(t)
	s.BlobStore, y.BlobStore = i.marked(), i.marked()
	require.NoError(t, s.BlobStore.Mark.Set("the/original"))
	report := sweepOnce(t, s)
	require.Contains(t, reasons(report)[repo.FromBytes], "marked as another installation's (the/original)")
	drain(t, q, i.batch(t, i.transaction()), Options{})
	require.NoError(t, y.CarryOut(t.Context()))
	require.Equal(t, left{bytes: 1}, i.left(t, original))
	require.Equal(t, left{bytes: 1}, i.left(t, doomed), "its row was this database's, its bytes are not")

	// A mark that comes later ends what was bound.
	require.NoError(t, s.BlobStore.Mark.Set(i.db.Identity().Key))
	require.NoError(t, s.Bind(t.Context()))
	require.True(t, i.isBound(t, s.BlobStore))
	require.NoError(t, s.BlobStore.Mark.Set("the/original"))
	require.False(t, i.isBound(t, s.BlobStore))

	// Moved: a person says so.
	report = sweepOnce(t, s)
	dry := i.sweeper(t, q)
	dry.BlobStore, dry.DryRun = s.BlobStore, true
	confirmed, _ := sweepWith(t, dry, SweepOptions{Confirm: report.ID})
	require.NotContains(t, reasons(confirmed), repo.FromBytes)
	require.False(t, i.isBound(t, s.BlobStore), "a dry run marks nothing")
	sweepWith(t, s, SweepOptions{Confirm: report.ID})
	require.True(t, i.isBound(t, s.BlobStore))
	drain(t, q, i.batch(t, i.transaction()), Options{})
	require.NoError(t, y.CarryOut(t.Context()))
	require.Equal(t, nothing, i.left(t, original))
	require.Equal(t, nothing, i.left(t, doomed))
}

// Two schemas share the table of chunks, also where one is a copy of the other.
func TestOwnershipOfChunksBesideAnotherSchema(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	i.used(t, 5)
	s := i.sweeper(t, q)
	require.Empty(t, sweepOnce(t, s).Holds)
	doomed, theirs := i.file(t), i.remains(t, true, false)
	i.Exec(t, `CREATE SCHEMA b`)
	i.Exec(t, `CREATE TABLE b.file AS SELECT * FROM file`)
	for _, table := range []string{"alembic_version", "auth", "chat", `"user"`} {
		i.Exec(t, `CREATE TABLE b.`+table+` AS SELECT * FROM `+table)
	}
	report := sweepOnce(t, s)
	require.Contains(t, reasons(report)[repo.FromVectors], "another installation in schema b")
	i.consume(t, q)
	require.Equal(t, left{chunks: chunksOfAFile}, i.left(t, theirs))
	require.Equal(t, left{chunks: chunksOfAFile}, i.left(t, doomed), "the copy may have a row of that id")

	sweepWith(t, s, SweepOptions{Confirm: report.ID})
	i.consume(t, q)
	require.Equal(t, nothing, i.left(t, theirs))
	require.Equal(t, nothing, i.left(t, doomed))
	require.Empty(t, sweepOnce(t, s).Holds, "that schema is known")
	i.Exec(t, `CREATE SCHEMA c`)
	i.Exec(t, `CREATE TABLE c.file (id text)`)
	i.Exec(t, `CREATE TABLE c.alembic_version (version_num text)`)
	theirs = i.remains(t, true, false)
	require.Contains(t, reasons(sweepOnce(t, s))[repo.FromVectors], "schema b, c")
	i.consume(t, q)
	require.Equal(t, left{chunks: chunksOfAFile}, i.left(t, theirs))
}

// Another installation's PGVECTOR_DB_URL leads here: its users are none of ours.
func TestOwnershipOfChunksThatStrangersMade(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	i.used(t, 5)
	ours, theirs := i.remains(t, true, false), i.remains(t, true, false)
	made := func(id, by string) {
		i.Exec(t, `UPDATE document_chunk SET vmetadata = vmetadata || jsonb_build_object('created_by', $2::text) WHERE vmetadata->>'file_id' = $1`, id, by)
	}
	made(ours, repotest.UserID)
	s := i.sweeper(t, q)
	made(theirs, repotest.NewID())
	report := sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Contains(t, reasons(report)[repo.FromVectors], "made by 1 users that this database never had")
	i.unbind(t)
	require.NoError(t, s.Bind(t.Context()))
	require.False(t, i.isBound(t, s.VectorStore))

	made(theirs, repotest.UserID)
	require.EqualValues(t, 2, sweepOnce(t, s).Published)
	require.True(t, i.isBound(t, s.VectorStore))
	i.consume(t, q)
	require.Equal(t, nothing, i.left(t, ours))
}

// A plugin's collections: neither a sweep nor a person's claim touches what is called
// after no file.
func TestOwnershipOfCollectionsOfPlugins(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	i.used(t, 3)
	plugin, doomed := repotest.InsertFile(t, i.Pool, repotest.File{ID: "plugin-doc"}).ID, i.remains(t, true, false)
	insert := func(collection, file string) {
		repotest.InsertChunks(t, i.Pool, repotest.Chunks{Collection: collection, FileID: file, Vectors: small})
	}
	insert("file-search-cache", "search-cache")
	insert("company-wiki", doomed)
	insert("company-wiki", repotest.NewID())
	insert("file-"+plugin, plugin)
	chunks := func(collection string) int {
		return repotest.Value[int](t, i.Database, `SELECT count(*) FROM document_chunk WHERE collection_name = $1`, collection)
	}
	s := i.sweeper(t, q)
	_, orphans := sweepWith(t, s, SweepOptions{})
	require.Contains(t, orphans, at(repo.FromVectors, doomed))
	require.NotContains(t, orphans, at(repo.FromVectors, "search-cache"))
	i.consume(t, q)
	result := run(t, i.transaction(), "search-cache")["search-cache"]
	require.Equal(t, Gone, result.Outcome)
	require.Contains(t, result.Detail, "no file ever had this id")
	i.carryOut(t)
	require.Equal(t, 1, chunks("file-search-cache"))
	require.Equal(t, 2, chunks("company-wiki"))
	require.Zero(t, chunks(vectorsOf(doomed)))
	require.Zero(t, chunks("file-"+plugin), "that was a file, and nothing used it")

	names, err := Strange(context.Background(), i.db, i.store)
	require.NoError(t, err)
	require.Equal(t, []string{"company-wiki", "file-search-cache"}, names)
}

func vectorsOf(id string) string { return repotest.FileCollection(id) }
