package sweep

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/chroma"
)

// folders is an installation on PostgreSQL beside an embedded Chroma that runs.
type folders struct {
	*fixture.Installation
	queue  *consumer.Queue
	store  *chroma.Embedded
	dir    string
	url    string
	living []string // folders
}

// installFolders makes one with the collections of so many files that are in use.
func installFolders(t *testing.T, n int) *folders {
	t.Helper()
	f := &folders{Installation: fixture.Install(t), queue: fixture.OpenQueue(t), dir: testenv.MemoryDir(t)}
	f.url = testenv.StartChroma(t, f.dir).URL() + "/api/v2/tenants/default_tenant/databases/default_database/collections"
	var err error
	f.store, err = chroma.Open(t.Context(), chroma.EmbeddedOptions{Dir: f.dir})
	require.NoError(t, err)
	for _, id := range f.AddUsedFiles(t, n) {
		f.collection(t, vectors.FileCollection(id))
	}
	f.living = f.names(t)
	require.Len(t, f.living, n)
	return f
}

// approve says that the folder of Chroma is this installation's.
func (f *folders) approve(t *testing.T) *folders {
	t.Helper()
	info := repo.StoreInfo(f.store.Info())
	require.NoError(t, info.Mark().Set(f.DB.Identity().Key))
	require.NoError(t, f.DB.InTx(t.Context(), nil, func(tx repo.Tx) error { return f.DB.ApproveStore(t.Context(), tx, info.Name, "") }))
	return f
}

func (f *folders) sweeper(t *testing.T) *Sweeper {
	s := sweeper(t, f.Installation, f.queue)
	s.Vectors = f.store
	return s
}

func (f *folders) ask(t *testing.T, method, path string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, f.url+path, bytes.NewReader(body))
	require.NoError(t, err)
	request.Close = true
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Less(t, response.StatusCode, 300, "%s", answer)
	require.NoError(t, json.Unmarshal(answer, out))
}

// collection makes one of two chunks.
func (f *folders) collection(t *testing.T, name string) (id string) {
	t.Helper()
	var made struct{ ID string }
	f.ask(t, http.MethodPost, "", map[string]any{"name": name}, &made)
	f.ask(t, http.MethodPost, "/"+made.ID+"/add", map[string]any{
		"ids": []string{"a", "b"}, "embeddings": [][]float32{{1, 2, 3}, {3, 2, 1}}, "documents": []string{"one", "two"},
	}, &struct{}{})
	return made.ID
}

// drop leaves the folder of a collection behind, as Chroma does, and returns its name.
func (f *folders) drop(t *testing.T) string {
	t.Helper()
	before, name := f.names(t), testenv.NewID()
	f.collection(t, name)
	f.ask(t, http.MethodDelete, "/"+name, nil, &struct{}{})
	made := slices.DeleteFunc(f.names(t), func(name string) bool { return slices.Contains(before, name) })
	require.Len(t, made, 1)
	return made[0]
}

// leave leaves so many folders behind.
func (f *folders) leave(t *testing.T, n int) (names []string) {
	t.Helper()
	for range n {
		name := testenv.NewID()
		require.NoError(t, os.Mkdir(filepath.Join(f.dir, name), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(f.dir, name, "data_level0.bin"), make([]byte, 5000), 0o600))
		names = append(names, name)
	}
	return names
}

// names are the folders that are there, by name.
func (f *folders) names(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(f.dir)
	require.NoError(t, err)
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}

// requireLeft is what must be there: the folders in use, and these.
func (f *folders) requireLeft(t *testing.T, names ...string) {
	t.Helper()
	require.ElementsMatch(t, append(slices.Clone(f.living), names...), f.names(t))
}

func TestFoldersOfDroppedCollectionsGo(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 3)
	gone := []string{f.drop(t), f.drop(t)}
	f.requireLeft(t, gone...)
	s := f.sweeper(t)
	report := sweepOnce(t, s)
	require.Empty(t, report.Holds, "what Chroma holds shows whose it is")
	require.Zero(t, report.Totals.Orphans)
	require.Zero(t, report.Published)
	require.Greater(t, report.Folders.Bytes, int64(1000))
	require.Equal(t, Folders{Found: 2, Bytes: report.Folders.Bytes, Removed: 2, Freed: report.Folders.Bytes}, report.Folders)
	f.requireLeft(t)
	require.Zero(t, sweepOnce(t, s).Folders)

	var found struct{ Documents [][]string }
	id := f.collection(t, "another")
	f.ask(t, http.MethodPost, "/"+id+"/query", map[string]any{"query_embeddings": [][]float32{{1, 2, 3}}, "n_results": 2}, &found)
	require.Equal(t, [][]string{{"one", "two"}}, found.Documents)
}

func TestFoldersWaitUntilTheyAreOldAndWereSeenForAWhile(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 2).approve(t)
	left := f.leave(t, 1)
	s := f.sweeper(t)
	s.Ages = repo.Ages{Min: time.Hour}
	require.Zero(t, sweepOnce(t, s).Folders, "it was touched just now")
	f.requireLeft(t, left...)
	s.Ages = repo.Ages{Orphan: time.Hour}
	report := sweepOnce(t, s)
	require.EqualValues(t, 1, report.Folders.Found)
	require.Zero(t, report.Folders.Removed)
	f.requireLeft(t, left...)
	f.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '1 hour'`)
	require.EqualValues(t, 1, sweepOnce(t, s).Folders.Removed)
	f.requireLeft(t)
}

func TestTooManyFoldersAreHeld(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 3).approve(t)
	few := f.leave(t, 10)
	s := f.sweeper(t)
	s.MaxFraction = 0.2
	require.EqualValues(t, len(few), sweepOnce(t, s).Folders.Removed, "ten are never too many")
	f.requireLeft(t)

	shown := f.leave(t, 11)
	doomed := f.AddFile(t)
	report := sweepOnce(t, s)
	require.Equal(t, []held{{repo.FromFolders, "chroma", 11, 14}}, heldIn(report))
	require.Equal(t, "11 of 14 would go, which is more than the fraction 0.2", report.Holds[0].Reason)
	require.EqualValues(t, 11, report.Held)
	require.EqualValues(t, 11, report.Folders.Found)
	require.Zero(t, report.Folders.Removed)
	require.EqualValues(t, 1, report.Published, "what is held there holds nothing elsewhere")
	f.requireLeft(t, shown...)
	f.Consume(t, f.queue)
	require.False(t, f.LeftOf(t, doomed).Row)

	since := f.leave(t, 12)
	confirmed, _ := sweepWith(t, s, Options{Confirm: report.ID})
	require.Equal(t, []held{{repo.FromFolders, "chroma", 12, 26}}, heldIn(confirmed), "nobody was shown these")
	require.EqualValues(t, 11, confirmed.Folders.Removed)
	f.requireLeft(t, since...)
	again, _ := sweepWith(t, s, Options{Confirm: confirmed.ID})
	require.Empty(t, again.Holds)
	f.requireLeft(t)
	again, _ = sweepWith(t, s, Options{Confirm: confirmed.ID})
	require.Zero(t, again.Earlier.Left)
}

// A hold ends where the folders are in use again, and where the settings name a store that
// has none.
func TestHoldOfFoldersEnds(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 2).approve(t)
	left := f.leave(t, 11)
	s := f.sweeper(t)
	s.MaxFraction = 0.2
	require.Len(t, sweepOnce(t, s).Holds, 1)
	other := f.sweeper(t)
	other.Vectors = f.Store
	require.Empty(t, sweepOnce(t, other).Holds)
	holds, err := f.DB.ListHolds(t.Context())
	require.NoError(t, err)
	require.Empty(t, holds)
	require.Len(t, sweepOnce(t, s).Holds, 1)
	require.NoError(t, os.RemoveAll(filepath.Join(f.dir, left[0])))
	report := sweepOnce(t, s)
	require.Empty(t, report.Holds)
	require.EqualValues(t, 10, report.Folders.Removed)
	f.requireLeft(t)
}

// Whatever the count: a database of Chroma's that knows none of the folders, and an
// Open WebUI's without a file.
func TestFoldersBesideAStrangeDatabaseAreHeld(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 0).approve(t)
	f.AddUsedFiles(t, 1)
	var made struct{ ID string }
	f.ask(t, http.MethodPost, "", map[string]any{"name": "empty"}, &made)
	left := f.leave(t, 2)
	s := f.sweeper(t)
	report := sweepOnce(t, s)
	require.Equal(t, []held{{repo.FromFolders, "chroma", 2, 2}}, heldIn(report))
	require.Equal(t, "not one of the 2 folders of collections in it is in use", report.Holds[0].Reason)
	f.requireLeft(t, left...)

	f.collection(t, "a-plugin")
	f.living = slices.DeleteFunc(f.names(t), func(name string) bool { return slices.Contains(left, name) })
	f.Exec(t, `DELETE FROM file`)
	require.Contains(t, reasons(sweepOnce(t, s))[repo.FromFolders], "table file is empty")
	f.requireLeft(t, left...)
	sweepWith(t, s, Options{Confirm: report.ID}) // it stays held under the first id
	f.requireLeft(t)
}

// Of a folder that is another's, or nobody's, nothing goes, and nothing is told.
func TestFoldersOfAStoreThatIsNotApprovedStay(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 2)
	left := f.leave(t, 3)
	s := f.sweeper(t)
	require.NoError(t, repo.StoreInfo(f.store.Info()).Mark().Set("another/installation"))
	require.Zero(t, sweepOnce(t, s).Folders)
	f.approve(t)
	require.NoError(t, repo.StoreInfo(f.store.Info()).Mark().Set("another/installation"))
	require.Zero(t, sweepOnce(t, s).Folders, "it was this installation's once")
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, ".pruned-installation"), nil, 0o600))
	require.Zero(t, sweepOnce(t, s).Folders, "nobody can read whose it is")
	f.requireLeft(t, left...)

	f.Exec(t, `DELETE FROM pruned.binding`)
	require.NoError(t, os.Remove(filepath.Join(f.dir, ".pruned-installation")))
	for range 3 {
		f.collection(t, vectors.FileCollection(testenv.NewID()))
	}
	f.living = slices.DeleteFunc(f.names(t), func(name string) bool { return slices.Contains(left, name) })
	report := sweepOnce(t, s)
	require.Contains(t, reasons(report)[repo.FromVectors], "only 2 of the 5 files in it belong to rows of this database")
	require.Zero(t, report.Folders)
	f.requireLeft(t, left...)
	sweepWith(t, s, Options{Confirm: report.ID})
	f.requireLeft(t)
}

func TestDryRunRemovesNoFolder(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 2)
	left := f.leave(t, 3)
	dry := f.sweeper(t)
	dry.DryRun = true
	fixture.Publish(t, f.queue, fixture.EventsAbout(testenv.NewID())) // there is a stream to look into
	before := trace(t, f.Installation, f.queue)
	report := sweepOnce(t, dry)
	require.EqualValues(t, 3, report.Folders.Found)
	require.GreaterOrEqual(t, report.Folders.Bytes, int64(3*5000))
	require.Zero(t, report.Folders.Removed+report.Folders.Freed)
	f.requireLeft(t, left...)
	require.NoFileExists(t, filepath.Join(f.dir, ".pruned-installation"))
	require.Equal(t, before, trace(t, f.Installation, f.queue))

	more := f.leave(t, 9)
	s := f.sweeper(t)
	s.MaxFraction, dry.MaxFraction = 0.2, 0.2
	held := sweepOnce(t, s)
	require.Len(t, held.Holds, 1)
	before = trace(t, f.Installation, f.queue)
	report, _ = sweepWith(t, dry, Options{Confirm: held.ID})
	require.Empty(t, report.Holds, "they would go")
	f.requireLeft(t, append(left, more...)...)
	require.Equal(t, before, trace(t, f.Installation, f.queue))
}

// brokenKeeper fails with one folder, or with all.
type brokenKeeper struct {
	*chroma.Embedded
	blind, stuck string // cannot be looked into, cannot be removed
	err          error
}

var errDenied = errors.New("denied")

func (b brokenKeeper) Leftovers(ctx context.Context) ([]vectors.Leftover, int64, error) {
	list, folders, err := b.Embedded.Leftovers(ctx)
	for i := range list {
		if list[i].Folder == b.blind {
			list[i].Err = errDenied
		}
	}
	return list, folders, errors.Join(err, b.err)
}

func (b brokenKeeper) RemoveLeftovers(ctx context.Context, folders []string, minAge time.Duration) ([]vectors.Leftover, error) {
	list, err := b.Embedded.RemoveLeftovers(ctx, slices.DeleteFunc(folders, func(name string) bool { return name == b.stuck }), minAge)
	return append(list, vectors.Leftover{Folder: b.stuck, Err: errDenied}), err
}

func TestFolderThatCannotBeRemovedStopsNothing(t *testing.T) {
	t.Parallel()
	f := installFolders(t, 2).approve(t)
	left := f.leave(t, 4)
	s := f.sweeper(t)
	broken := brokenKeeper{Embedded: f.store, blind: left[0], stuck: left[1]}
	s.Vectors = broken
	report := sweepOnce(t, s)
	require.EqualValues(t, 3, report.Folders.Found)
	require.EqualValues(t, 2, report.Folders.Removed)
	require.EqualValues(t, 2, report.Folders.Failed)
	f.requireLeft(t, left[:2]...)

	// A store that fails stops no other, and fails the sweep.
	broken.err = vectors.ErrUnusable
	s.Vectors = broken
	f.AddFile(t)
	report, err := s.Sweep(fixture.Context(t), Options{})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.EqualValues(t, 1, report.Published)
	f.requireLeft(t, left[:2]...)
	s.Vectors = f.store
	require.EqualValues(t, 2, sweepOnce(t, s).Folders.Removed)
	f.requireLeft(t)
}
