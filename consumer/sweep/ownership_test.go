package sweep

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
)

// reasons are why something is held, by direction.
func reasons(r Report) map[repo.Direction]string {
	list := map[repo.Direction]string{}
	for _, h := range r.Holds {
		list[h.Direction] = h.Reason
	}
	return list
}

// Most of what is there is ours: nobody has to say so.
func TestOwnershipIsSeenByWhatAStoreHolds(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.Unbind(t)
	i.AddUsedFiles(t, 3)
	left := i.AddRemains(t, true, true)
	s := sweeper(t, i, q)
	s.Blobs = i.Blobs
	require.False(t, i.IsBound(t, repo.StoreInfo(s.Vectors.Info())))
	require.NoError(t, s.ApproveStores(t.Context()))
	for _, store := range []repo.StoreInfo{repo.StoreInfo(s.Vectors.Info()), s.Blobs.Info()} {
		require.True(t, i.IsBound(t, store))
	}
	owner, err := s.Blobs.Info().Mark().Owner()
	require.NoError(t, err)
	require.Equal(t, i.DB.Identity().Key, owner)
	require.Empty(t, sweepOnce(t, s).Holds)
	i.Consume(t, q)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, left))

	// The folder of other settings, and one that was made anew, carry no mark.
	other := repo.StoreInfo{Name: s.Blobs.Info().Name, Folder: t.TempDir()}
	require.False(t, i.IsBound(t, other))
}

// A foreign folder, table or both: whatever the count, also where it is under every
// fraction, nothing goes, by sweeps or a person's event, until somebody confirms.
func TestOwnershipOfAStoreThatSharesNothing(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.Unbind(t)
	i.Exec(t, `DELETE FROM document_chunk`)
	testenv.InsertChat(t, i.Pool, testenv.Chat{Files: []string{testenv.NewFile(t, i.Pool)}})
	theirs := []string{i.AddRemains(t, true, true), i.AddRemains(t, true, true)}
	s := sweeper(t, i, q)
	s.Blobs = i.Blobs
	require.NoError(t, s.ApproveStores(t.Context()))
	report := sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Equal(t, map[repo.Direction]string{
		repo.FromVectors: "only 0 of the 2 files in it belong to rows of this database",
		repo.FromBytes:   "only 0 of the 2 files in it belong to rows of this database",
	}, reasons(report))

	x, y := i.NewTransaction(), i.NewReaper(t)
	y.Blobs = s.Blobs
	require.Equal(t, event.Gone, fixture.RunTransaction(t, x, theirs[0])[theirs[0]].Outcome)
	require.NoError(t, y.Drain(t.Context()))
	for _, id := range theirs {
		require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, id))
	}
	confirmed, _ := sweepWith(t, s, Options{Confirm: report.ID})
	require.Empty(t, confirmed.Holds)
	fixture.Drain(t, q, i.NewHandler(t, x), consumer.Options{})
	require.NoError(t, y.Drain(t.Context()))
	for _, id := range theirs {
		require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
	}
}

// What was bound long ago may have been replaced.
func TestOwnershipOfABoundStoreWhoseContentWasReplaced(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	used := i.AddUsedFiles(t, 3)
	s := sweeper(t, i, q)
	require.Empty(t, sweepOnce(t, s).Holds)
	i.Exec(t, `DELETE FROM document_chunk`)
	for _, id := range used {
		require.NoError(t, os.Remove(filepath.Join(i.Uploads, testenv.StoredName(id, "document.pdf"))))
	}
	theirs := i.AddRemains(t, true, true)
	report := sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Equal(t, "not one of the 1 files in it belongs to a row of this database", reasons(report)[repo.FromBytes])
	require.Equal(t, reasons(report)[repo.FromBytes], reasons(report)[repo.FromVectors])
	i.Consume(t, q)
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, theirs))
}

// A copy of a database beside the original's folder knows most of it.
func TestOwnershipMarkOfAnotherInstallationHoldsTheFolder(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.Unbind(t)
	i.AddUsedFiles(t, 5)
	doomed, original := i.AddFile(t), i.AddRemains(t, false, true)
	s, y := sweeper(t, i, q), i.NewReaper(t)
	s.Blobs, y.Blobs = i.Blobs, i.Blobs
	require.NoError(t, s.Blobs.Info().Mark().Set("the/original"))
	report := sweepOnce(t, s)
	require.Contains(t, reasons(report)[repo.FromBytes], "marked as another installation's (the/original)")
	fixture.Drain(t, q, i.NewHandler(t, i.NewTransaction()), consumer.Options{})
	require.NoError(t, y.Drain(t.Context()))
	require.Equal(t, fixture.Left{Bytes: 1}, i.LeftOf(t, original))
	require.Equal(t, fixture.Left{Bytes: 1}, i.LeftOf(t, doomed), "its row was this database's, its bytes are not")

	// A mark that comes later ends what was bound.
	require.NoError(t, s.Blobs.Info().Mark().Set(i.DB.Identity().Key))
	require.NoError(t, s.ApproveStores(t.Context()))
	require.True(t, i.IsBound(t, s.Blobs.Info()))
	require.NoError(t, s.Blobs.Info().Mark().Set("the/original"))
	require.False(t, i.IsBound(t, s.Blobs.Info()))

	// Moved: a person says so.
	report = sweepOnce(t, s)
	dry := sweeper(t, i, q)
	dry.Blobs, dry.DryRun = s.Blobs, true
	confirmed, _ := sweepWith(t, dry, Options{Confirm: report.ID})
	require.NotContains(t, reasons(confirmed), repo.FromBytes)
	require.False(t, i.IsBound(t, s.Blobs.Info()), "a dry run marks nothing")
	sweepWith(t, s, Options{Confirm: report.ID})
	require.True(t, i.IsBound(t, s.Blobs.Info()))
	fixture.Drain(t, q, i.NewHandler(t, i.NewTransaction()), consumer.Options{})
	require.NoError(t, y.Drain(t.Context()))
	require.Equal(t, fixture.Nothing, i.LeftOf(t, original))
	require.Equal(t, fixture.Nothing, i.LeftOf(t, doomed))
}

// Two schemas share the table of chunks, also where one is a copy of the other.
func TestOwnershipOfChunksBesideAnotherSchema(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 5)
	s := sweeper(t, i, q)
	require.Empty(t, sweepOnce(t, s).Holds)
	doomed, theirs := i.AddFile(t), i.AddRemains(t, true, false)
	i.Exec(t, `CREATE SCHEMA b`)
	i.Exec(t, `CREATE TABLE b.file AS SELECT * FROM file`)
	for _, table := range []string{"alembic_version", "auth", "chat", `"user"`} {
		i.Exec(t, `CREATE TABLE b.`+table+` AS SELECT * FROM `+table)
	}
	report := sweepOnce(t, s)
	require.Contains(t, reasons(report)[repo.FromVectors], "another installation in schema b")
	i.Consume(t, q)
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, theirs))
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, doomed), "the copy may have a row of that id")

	sweepWith(t, s, Options{Confirm: report.ID})
	i.Consume(t, q)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, theirs))
	require.Equal(t, fixture.Nothing, i.LeftOf(t, doomed))
	require.Empty(t, sweepOnce(t, s).Holds, "that schema is known")
	i.Exec(t, `CREATE SCHEMA c`)
	i.Exec(t, `CREATE TABLE c.file (id text)`)
	i.Exec(t, `CREATE TABLE c.alembic_version (version_num text)`)
	theirs = i.AddRemains(t, true, false)
	require.Contains(t, reasons(sweepOnce(t, s))[repo.FromVectors], "schema b, c")
	i.Consume(t, q)
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, theirs))
}

// Another installation's PGVECTOR_DB_URL leads here: its users are none of ours.
func TestOwnershipOfChunksThatStrangersMade(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 5)
	ours, theirs := i.AddRemains(t, true, false), i.AddRemains(t, true, false)
	made := func(id, by string) {
		i.Exec(t, `UPDATE document_chunk SET vmetadata = vmetadata || jsonb_build_object('created_by', $2::text) WHERE vmetadata->>'file_id' = $1`, id, by)
	}
	made(ours, testenv.UserID)
	s := sweeper(t, i, q)
	made(theirs, testenv.NewID())
	report := sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Contains(t, reasons(report)[repo.FromVectors], "made by 1 users that this database never had")
	i.Unbind(t)
	require.NoError(t, s.ApproveStores(t.Context()))
	require.False(t, i.IsBound(t, repo.StoreInfo(s.Vectors.Info())))

	made(theirs, testenv.UserID)
	require.EqualValues(t, 2, sweepOnce(t, s).Published)
	require.True(t, i.IsBound(t, repo.StoreInfo(s.Vectors.Info())))
	i.Consume(t, q)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, ours))
}

// A plugin's collections: neither a sweep nor a person's event touches what is called
// after no file.
func TestOwnershipOfCollectionsOfPlugins(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 3)
	plugin, doomed := testenv.InsertFile(t, i.Pool, testenv.File{ID: "plugin-doc"}).ID, i.AddRemains(t, true, false)
	insert := func(collection, file string) {
		testenv.InsertChunks(t, i.Pool, testenv.Chunks{Collection: collection, FileID: file, Vectors: fixture.SmallVectors})
	}
	insert("file-search-cache", "search-cache")
	insert("company-wiki", doomed)
	insert("company-wiki", testenv.NewID())
	insert("file-"+plugin, plugin)
	chunks := func(collection string) int {
		return testenv.Value[int](t, i.Database, `SELECT count(*) FROM document_chunk WHERE collection_name = $1`, collection)
	}
	s := sweeper(t, i, q)
	_, orphans := sweepWith(t, s, Options{})
	require.Contains(t, orphans, at(repo.FromVectors, doomed))
	require.NotContains(t, orphans, at(repo.FromVectors, "search-cache"))
	i.Consume(t, q)
	result := fixture.RunTransaction(t, i.NewTransaction(), "search-cache")["search-cache"]
	require.Equal(t, event.Gone, result.Outcome)
	require.Contains(t, result.Detail, "no file ever had this id")
	i.DrainTombstones(t)
	require.Equal(t, 1, chunks("file-search-cache"))
	require.Equal(t, 2, chunks("company-wiki"))
	require.Zero(t, chunks(vectorsOf(doomed)))
	require.Zero(t, chunks("file-"+plugin), "that was a file, and nothing used it")

	names, err := ForeignCollections(context.Background(), repo.NewEngine(i.DB), i.Store)
	require.NoError(t, err)
	require.Equal(t, []string{"company-wiki", "file-search-cache"}, names)
}

func vectorsOf(id string) string { return testenv.FileCollection(id) }
