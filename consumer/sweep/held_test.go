package sweep

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
	"pruned/vectors"
)

// shelf is a knowledge base with linked files that live, and one that lives elsewhere and
// whose chunks are there without a link.
type shelf struct {
	*fixture.Installation
	base   string
	linked []string
	taken  string
}

func newShelf(t *testing.T, linked int) shelf {
	t.Helper()
	s := shelf{Installation: fixture.Install(t)}
	addUser(t, s.Installation, testenv.NewID())
	for range linked {
		s.linked = append(s.linked, testenv.NewID())
		s.AddRow(t, s.linked[len(s.linked)-1])
	}
	s.base = testenv.InsertKnowledge(t, s.Pool, s.linked...)
	s.taken = testenv.NewID()
	s.AddRow(t, s.taken)
	testenv.InsertNote(t, s.Pool, s.taken)
	for _, file := range append(s.linked, s.taken) {
		s.store(t, file, 2)
		testenv.InsertChunks(t, s.Pool, testenv.Chunks{FileID: file, N: 2, Vectors: fixture.SmallVectors})
	}
	return s
}

// store is what an add does before it links the file.
func (s shelf) store(t *testing.T, file string, chunks int) {
	t.Helper()
	testenv.InsertChunks(t, s.Pool, testenv.Chunks{FileID: file, Collection: s.base, N: chunks, Vectors: fixture.SmallVectors})
}

// age has every candidate found two hours earlier.
func (s shelf) age(t *testing.T) {
	t.Helper()
	s.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '2 hours'`)
}

func (s shelf) chunks(t *testing.T, collection, file string) int {
	t.Helper()
	return testenv.Value[int](t, s.Database, `SELECT count(*) FROM document_chunk WHERE collection_name = $1 AND vmetadata->>'file_id' = $2`, collection, file)
}

// requireWhole says that nothing but the chunks without a link went.
func (s shelf) requireWhole(t *testing.T) {
	t.Helper()
	for _, file := range s.linked {
		require.Equal(t, 2, s.chunks(t, s.base, file))
	}
	for _, file := range append(s.linked, s.taken) {
		require.Equal(t, 2, s.chunks(t, testenv.FileCollection(file), file))
	}
}

func TestSweepFindsChunksOfFilesThatWereTakenOut(t *testing.T) {
	t.Parallel()
	i, q := newShelf(t, 5), fixture.OpenQueue(t)
	s := sweeper(t, i.Installation, q)
	_, orphans := sweepWith(t, s, Options{})
	require.Len(t, orphans, 1)
	require.Contains(t, orphans.keys()[0], at(repo.FromPoints, i.base+"/"+i.taken+":2-"))
	require.Equal(t, 1, i.Consume(t, q).Young, "an add may store chunks right now, whatever the ages")
	i.age(t)
	q = fixture.OpenQueue(t)
	s.Queue = q
	i.Exec(t, `UPDATE pruned.candidate SET claimed_at = NULL`)
	require.EqualValues(t, 1, sweepOnce(t, s).Published)
	require.Equal(t, 1, i.Consume(t, q).Deleted)
	require.Zero(t, i.chunks(t, i.base, i.taken))
	i.requireWhole(t)
	require.Zero(t, i.CountTombstones(t))
	require.Zero(t, sweepOnce(t, s).Totals.Orphans)
	require.Equal(t, 6, testenv.Value[int](t, i.Database, `SELECT count(*) FROM file`))
}

// asked remembers whose chunks were asked for.
type asked struct {
	vectors.CollectionStore
	knowledge []string
}

func (a *asked) ListChunks(ctx context.Context, knowledge, files []string) iter.Seq2[vectors.FileChunk, error] {
	a.knowledge = append(a.knowledge, knowledge...)
	return a.CollectionStore.ListChunks(ctx, knowledge, files)
}

// The ids of all chunks of a knowledge base are read only where a file of it lacks its link,
// however many pages its files came in.
func TestChunksAreReadWhereALinkIsMissing(t *testing.T) {
	t.Parallel()
	i := newShelf(t, 5)
	whole := testenv.InsertKnowledge(t, i.Pool, i.linked...)
	for _, file := range i.linked {
		testenv.InsertChunks(t, i.Pool, testenv.Chunks{FileID: file, Collection: whole, N: 2, Vectors: fixture.SmallVectors})
	}
	s, store := sweeper(t, i.Installation, fixture.OpenQueue(t)), &asked{CollectionStore: i.Store}
	s.Vectors, s.pageSize = store, 3
	require.EqualValues(t, 1, sweepOnce(t, s).Totals.Orphans)
	require.Equal(t, []string{i.base}, store.knowledge)
	testenv.LinkKnowledge(t, i.Pool, i.base, i.taken)
	store.knowledge = nil
	require.Zero(t, sweepOnce(t, s).Totals.Orphans)
	require.Empty(t, store.knowledge)
}

// noLinks is a database that cannot tell which files are linked, as where an index is blind.
type noLinks struct{ repo.Leftovers }

func (l noLinks) FindMissingRows(ctx context.Context, tx repo.Tx, table string, ids []string) ([]string, error) {
	if table == repo.KnowledgeLinks {
		return nil, errors.New("nobody knows")
	}
	return l.Leftovers.FindMissingRows(ctx, tx, table, ids)
}

// What is left of files is published all the same, and the sweep tells the failure.
func TestUnknownLinksStopNoFile(t *testing.T) {
	t.Parallel()
	i, q := newShelf(t, 5), fixture.OpenQueue(t)
	left := i.AddRemains(t, true, true)
	s := sweeper(t, i.Installation, q)
	s.DB.Leftovers = noLinks{s.DB.Leftovers}
	report, err := s.Sweep(t.Context(), Options{})
	require.ErrorContains(t, err, "nobody knows")
	require.EqualValues(t, 1, report.Published)
	require.Equal(t, left, fixture.EventsIn(t, q)[0].Subject)
}

// A chunk without metadata is nobody's: it stays, and all else is found, and goes, beside it.
func TestChunksWithoutMetadataStay(t *testing.T) {
	t.Parallel()
	i, q := newShelf(t, 5), fixture.OpenQueue(t)
	i.Exec(t, `INSERT INTO document_chunk (id, collection_name, text) VALUES ('bare', $1, 'a page')`, i.base)
	l := addLeftovers(t, i.Installation)
	i.Exec(t, `UPDATE document_chunk SET vmetadata = NULL WHERE vmetadata->>'file_id' IS NULL`)
	s := sweeper(t, i.Installation, q)
	require.EqualValues(t, 1+len(l.unused), sweepOnce(t, s).Totals.Orphans)
	i.age(t)
	sum := i.Consume(t, q)
	require.Equal(t, 1+len(l.unused), sum.Deleted, sum)
	require.Equal(t, l.used, l.left(t, i.Installation))
	require.Zero(t, i.chunks(t, i.base, i.taken))
	require.Equal(t, 1, testenv.Value[int](t, i.Database, `SELECT count(*) FROM document_chunk WHERE id = 'bare'`))
	i.requireWhole(t)
}

// Of a store outside the database they go after the commit, by a tombstone that asks again.
func TestChunksOfFilesThatWereTakenOutGoOutsideTheDatabase(t *testing.T) {
	t.Parallel()
	for _, linkedAgain := range []bool{false, true} {
		i, q := newShelf(t, 5), fixture.OpenQueue(t)
		s := sweeper(t, i.Installation, q)
		s.Vectors = outsideStore{i.Store}
		i.Exec(t, `INSERT INTO pruned.binding (store, identity) SELECT 'outside', identity FROM pruned.binding LIMIT 1`)
		sweepOnce(t, s)
		i.age(t)
		x := i.NewTransaction()
		x.Vectors = s.Vectors
		require.Equal(t, 1, fixture.Drain(t, q, i.NewHandler(t, x), consumer.Options{}).Deleted)
		require.Equal(t, 2, i.chunks(t, i.base, i.taken))
		want := 0
		if linkedAgain {
			testenv.LinkKnowledge(t, i.Pool, i.base, i.taken)
			want = 2
		}
		r := i.NewReaper(t)
		r.Vectors = s.Vectors
		require.NoError(t, r.Drain(t.Context()))
		require.Zero(t, i.CountTombstones(t))
		require.Equal(t, want, i.chunks(t, i.base, i.taken))
		i.requireWhole(t)
	}
}

// An add that is stopped at each of its steps loses nothing, with ages of zero: neither of a
// file that is new there, nor of one whose older chunks are about to go.
func TestAddThatIsStoppedLosesNothing(t *testing.T) {
	t.Parallel()
	for _, stale := range []bool{false, true} {
		i, q := newShelf(t, 5), fixture.OpenQueue(t)
		s := sweeper(t, i.Installation, q)
		if !stale {
			i.Exec(t, `DELETE FROM document_chunk WHERE collection_name = $1 AND vmetadata->>'file_id' = $2`, i.base, i.taken)
		}
		sweepOnce(t, s)
		i.age(t) // those that are there now are due, and in the queue
		before := i.chunks(t, i.base, i.taken)
		work := func(consume bool) {
			if consume {
				i.Consume(t, q)
			}
			sweepOnce(t, s)
			i.Consume(t, q)
			i.DrainTombstones(t)
		}
		for step := range 4 {
			if step < 3 {
				i.store(t, i.taken, 1)
			} else {
				testenv.LinkKnowledge(t, i.Pool, i.base, i.taken)
			}
			work(step == 0)
			require.Equal(t, before+min(step+1, 3), i.chunks(t, i.base, i.taken), "%v %d", stale, step)
		}
		i.age(t)
		work(true)
		require.Equal(t, before+3, i.chunks(t, i.base, i.taken))
		i.requireWhole(t)
	}
}

// Where many files lack their links nothing is believed before a person says so.
func TestLostLinksOfFilesThatLiveAreHeld(t *testing.T) {
	t.Parallel()
	i, q := newShelf(t, 10), fixture.OpenQueue(t)
	for _, file := range i.linked[:4] {
		testenv.InsertNote(t, i.Pool, file)
		i.Exec(t, `DELETE FROM knowledge_file WHERE file_id = $1`, file)
	}
	s := sweeper(t, i.Installation, q)
	s.Ages = repo.Ages{Min: time.Hour}
	report := sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Empty(t, report.Holds, "they may be being added")
	i.age(t)
	report = sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Len(t, report.Holds, 1)
	require.Equal(t, repo.FromPoints, report.Holds[0].Direction)
	require.Contains(t, report.Holds[0].Reason, "links were lost: the collection of knowledge base "+i.base+" holds 5 files")
	testenv.LinkKnowledge(t, i.Pool, i.base, i.linked[0])
	testenv.LinkKnowledge(t, i.Pool, i.base, i.linked[1])
	report = sweepOnce(t, s)
	require.Zero(t, report.Published, "links that come later say nothing about the others")
	i.requireWhole(t)
	report, _ = sweepWith(t, s, Options{Confirm: report.Holds[0].ID})
	require.EqualValues(t, 3, report.Published)
}
