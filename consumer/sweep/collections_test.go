package sweep

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
	"pruned/vectors"
)

// leftovers is one collection, and one point, of each kind: those in use and those that
// nothing uses, by direction and name.
type leftovers struct{ used, unused []string }

func addLeftovers(t *testing.T, i *fixture.Installation) (l leftovers) {
	t.Helper()
	user, gone := testenv.NewID(), testenv.NewID()
	addUser(t, i, user)
	memory, lost := testenv.InsertMemory(t, i.Pool, user), testenv.NewID()
	base, lostBase, mentionedBase := testenv.InsertKnowledge(t, i.Pool), testenv.NewID(), testenv.NewID()
	search, unsearched := "web-search-"+user+"-c0ffee", "web-search-"+user+"-dead"
	pasted, unpasted := fmt.Sprintf("%064x", 0xabc), fmt.Sprintf("%063x", 0xdef)
	testenv.InsertNote(t, i.Pool, search, pasted, mentionedBase)
	legacy := fmt.Sprintf("%063x", 0x123)
	i.Exec(t, `UPDATE file SET meta = jsonb_build_object('name', 'old.pdf', 'collection_name', $1::text)`, legacy)
	add := func(list *[]string, d repo.Direction, name, collection, point string) {
		i.AddPoint(t, collection, point)
		*list = append(*list, at(d, name))
	}
	for _, name := range []string{search, pasted, base, mentionedBase, legacy, "company-wiki"} {
		add(&l.used, repo.FromCollections, name, name, testenv.NewID())
	}
	for _, name := range []string{unsearched, unpasted, lostBase, "user-memory-" + gone} {
		add(&l.unused, repo.FromCollections, name, name, testenv.NewID())
	}
	for collection, ids := range map[string][2]string{"user-memory-" + user: {memory, lost}, vectors.KnowledgeNames: {base, lostBase}} {
		add(&l.used, repo.FromPoints, collection+"/"+ids[0], collection, ids[0])
		add(&l.unused, repo.FromPoints, collection+"/"+ids[1], collection, ids[1])
	}
	slices.Sort(l.unused)
	return l
}

func addUser(t *testing.T, i *fixture.Installation, id string) {
	t.Helper()
	i.Exec(t, `INSERT INTO "user" (id, name, email, role, profile_image_url, last_active_at, created_at, updated_at)
		VALUES ($1::text, 'Another', $1::text || '@example.com', 'user', '', 1, 1, 1)`, id)
}

// left lists which of them are in the store.
func (l leftovers) left(t *testing.T, i *fixture.Installation) (left []string) {
	t.Helper()
	there := map[string]bool{}
	for _, name := range testenv.Column[string](t, i.Database, `SELECT DISTINCT collection_name FROM document_chunk`) {
		there[at(repo.FromCollections, name)] = true
	}
	for _, name := range testenv.Column[string](t, i.Database, `SELECT collection_name || '/' || id FROM document_chunk`) {
		there[at(repo.FromPoints, name)] = true
	}
	for _, name := range slices.Concat(l.used, l.unused) {
		if there[name] {
			left = append(left, name)
		}
	}
	return left
}

// Exactly those that nothing uses go, whole or point by point.
func TestSweepFindsCollectionsAndPoints(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	file := i.AddUsedFiles(t, 1)[0]
	l := addLeftovers(t, i)
	s := sweeper(t, i, q)
	_, orphans := sweepWith(t, s, Options{})
	require.Equal(t, l.unused, orphans.keys())
	require.Len(t, fixture.EventsIn(t, q), len(l.unused))
	require.Zero(t, sweepOnce(t, s).Published, "the events are in the queue already")

	sum := i.Consume(t, q)
	require.Equal(t, len(l.unused), sum.Deleted, sum)
	require.Equal(t, l.used, l.left(t, i))
	require.Equal(t, fixture.Whole, i.LeftOf(t, file))
	require.Zero(t, i.CountTombstones(t), "they go with the transaction")
	require.Zero(t, sweepOnce(t, s).Totals.Orphans)
	for _, name := range l.unused {
		_, subject, _ := cutDirection(name)
		require.Equal(t, 1, i.CountRecords(t, subject), subject)
	}
}

func cutDirection(name string) (d repo.Direction, subject string, ok bool) {
	for _, d := range []repo.Direction{repo.FromCollections, repo.FromPoints} {
		if prefix := string(d) + " "; len(name) > len(prefix) && name[:len(prefix)] == prefix {
			return d, name[len(prefix):], true
		}
	}
	return "", "", false
}

// A store outside the database is dealt with after the commit, under the same questions.
func TestSweepFindsCollectionsOutsideTheDatabase(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 1)
	l := addLeftovers(t, i)
	s := sweeper(t, i, q)
	s.Vectors = outsideStore{i.Store}
	i.Exec(t, `INSERT INTO pruned.binding (store, identity) SELECT 'outside', identity FROM pruned.binding LIMIT 1`)
	require.EqualValues(t, len(l.unused), sweepOnce(t, s).Published)
	x := i.NewTransaction()
	x.Vectors = s.Vectors
	sum := fixture.Drain(t, q, i.NewHandler(t, x), consumer.Options{})
	require.Equal(t, len(l.unused), sum.Deleted)
	require.Equal(t, len(l.unused), i.CountTombstones(t))
	require.Len(t, l.left(t, i), len(l.used)+len(l.unused), "nothing is touched before the commit")

	// What came into use meanwhile is kept.
	d, saved, _ := cutDirection(l.unused[0])
	require.Equal(t, repo.FromCollections, d)
	testenv.InsertNote(t, i.Pool, saved)
	r := i.NewReaper(t)
	r.Vectors = s.Vectors
	require.NoError(t, r.Drain(t.Context()))
	require.Zero(t, i.CountTombstones(t))
	require.ElementsMatch(t, append(slices.Clone(l.used), l.unused[0]), l.left(t, i))
	require.Contains(t, fixture.LedgerOf(t, i, saved)[0].Note, "mentioned by note")
}

// outsideStore is the store of the database, as if it lay elsewhere.
type outsideStore struct{ vectors.CollectionStore }

func (outsideStore) Info() vectors.Info { return vectors.Info{Name: "outside"} }

func (s outsideStore) RemoveCollections(ctx context.Context, _ vectors.Tx, names []string, guard vectors.Guard) (vectors.Removed, error) {
	may, err := guard(ctx, names)
	if err != nil || len(may) == 0 {
		return vectors.Removed{}, err
	}
	return s.CollectionStore.RemoveCollections(ctx, nil, may, vectors.AllowAll)
}

func (s outsideStore) RemovePoints(ctx context.Context, _ vectors.Tx, collection string, ids []string, guard vectors.Guard) (vectors.Removed, error) {
	may, err := guard(ctx, ids)
	if err != nil || len(may) == 0 {
		return vectors.Removed{}, err
	}
	return s.CollectionStore.RemovePoints(ctx, nil, collection, may, vectors.AllowAll)
}

// What comes into use after it was found is kept, and found anew when it is unused again.
func TestCollectionThatIsMentionedMeanwhileStays(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	name, user := "web-search-x-c0ffee", testenv.NewID()
	i.AddPoint(t, name, testenv.NewID())
	i.AddPoint(t, "user-memory-"+user, testenv.InsertMemory(t, i.Pool, user))
	s := sweeper(t, i, q)
	require.EqualValues(t, 2, sweepOnce(t, s).Published)
	note := testenv.InsertNote(t, i.Pool, name)
	addUser(t, i, user)
	sum := i.Consume(t, q)
	require.Equal(t, 2, sum.Kept, sum)
	_, orphans := sweepWith(t, s, Options{})
	require.Empty(t, orphans)

	i.Exec(t, `DELETE FROM note WHERE id = $1`, note)
	require.EqualValues(t, 1, sweepOnce(t, s).Published)
	require.Equal(t, 1, i.Consume(t, q).Deleted)
	require.Equal(t, []string{"user-memory-" + user}, testenv.Column[string](t, i.Database, `SELECT collection_name FROM document_chunk`))
}

// They wait as long as files do, from when a sweep first found them.
func TestCollectionsWaitForTheirAges(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddPoint(t, "web-search-x-c0ffee", testenv.NewID())
	s := sweeper(t, i, q)
	s.Ages = repo.Ages{Min: 2 * time.Hour, Orphan: time.Hour}
	report, orphans := sweepWith(t, s, Options{})
	require.Zero(t, report.Published)
	for _, o := range orphans {
		require.InDelta(t, 7200, o.DueIn, 60)
	}
	i.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '2 hours'`)
	require.EqualValues(t, 1, sweepOnce(t, s).Published)
	x := i.NewTransaction()
	x.Ages = s.Ages
	require.Equal(t, 1, fixture.Drain(t, q, i.NewHandler(t, x), consumer.Options{}).Deleted)
}

// Too many are held, apart from everything else, and what is confirmed goes.
func TestCollectionsAreHeldByTheBreaker(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	file := i.AddFile(t)
	for n := range alwaysAllowed + 1 {
		i.AddPoint(t, fmt.Sprint("web-search-x-", n), testenv.NewID())
	}
	s := sweeper(t, i, q)
	s.MaxFraction = 0.5
	i.AddUsedFiles(t, 1)
	report := sweepOnce(t, s)
	require.EqualValues(t, 1, report.Published, "the file goes")
	require.Len(t, report.Holds, 1)
	require.Equal(t, repo.FromCollections, report.Holds[0].Direction)
	require.EqualValues(t, alwaysAllowed+1, report.Holds[0].Found)
	require.Equal(t, 1, i.Consume(t, q).Deleted)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, file))

	report, _ = sweepWith(t, s, Options{Confirm: report.Holds[0].ID})
	require.EqualValues(t, alwaysAllowed+1, report.Published)
	require.Equal(t, alwaysAllowed+1, i.Consume(t, q).Deleted)
}

// Nothing of a store is found before it is known to be this installation's.
func TestCollectionsOfAnUnknownStoreAreHeld(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddPoint(t, "web-search-x-c0ffee", testenv.NewID())
	i.Unbind(t)
	s := sweeper(t, i, q)
	s.Vectors = outsideStore{i.Store}
	report := sweepOnce(t, s)
	require.Zero(t, report.Published)
	require.Len(t, report.Holds, 1)
	require.Contains(t, report.Holds[0].Reason, "whether outside is this installation's")
	report, _ = sweepWith(t, s, Options{Confirm: report.Holds[0].ID})
	require.EqualValues(t, 1, report.Published)
}

// A store that cannot list its collections keeps nothing else from being swept.
func TestCollectionsThatCannotBeListed(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	file := i.AddFile(t)
	s := sweeper(t, i, q)
	s.Vectors = unlistableStore{i.Store}
	_, err := s.Sweep(fixture.Context(t), Options{})
	require.ErrorIs(t, err, errBroken)
	require.Equal(t, file, fixture.EventsIn(t, q)[0].Subject)
}

type unlistableStore struct{ vectors.CollectionStore }

var errBroken = errors.New("broken")

func (unlistableStore) ListCollections(context.Context) iter.Seq2[vectors.Collection, error] {
	return func(yield func(vectors.Collection, error) bool) { yield(vectors.Collection{}, errBroken) }
}

// A sweep that rests publishes what has become due, without listing the store again.
func TestCollectionsBecomeDueWhileTheSweepRests(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddPoint(t, "web-search-x-c0ffee", testenv.NewID())
	i.AddPoint(t, vectors.KnowledgeNames, testenv.NewID())
	s := sweeper(t, i, q)
	s.Ages.Orphan = time.Hour
	require.Zero(t, sweepOnce(t, s).Published)
	for d, l := range maps.Clone(s.listed) {
		l.took = time.Hour
		s.listed[d] = l
	}
	i.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '1 hour'`)
	report, _ := sweepWith(t, s, Options{Rest: true})
	require.EqualValues(t, 2, report.Published)
}
