package sweep

import (
	"fmt"
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
)

// sweeper sweeps an installation without regard to ages and fractions.
func sweeper(t *testing.T, i *fixture.Installation, q Publisher) *Sweeper {
	return &Sweeper{
		DB: repo.NewEngine(i.DB), Vectors: i.Store,
		Blobs: i.ApprovedBlobs(), Queue: q,
		MaxFraction: 1, Retention: 24 * time.Hour, Log: fixture.Log(t),
	}
}

// found are the orphans that a sweep tells of, as direction and file id.
type found map[string]Orphan

func at(d repo.Direction, id string) string { return string(d) + " " + id }

func (f found) keys() (keys []string) {
	for key := range f {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func sweepWith(t *testing.T, s *Sweeper, o Options) (Report, found) {
	t.Helper()
	orphans := found{}
	o.Each = func(one Orphan) error {
		orphans[at(one.Direction, one.FileID)] = one
		return nil
	}
	report, err := s.Sweep(fixture.Context(t), o)
	require.NoError(t, err)
	require.EqualValues(t, len(orphans), report.Totals.Orphans)
	return report, orphans
}

func sweepOnce(t *testing.T, s *Sweeper) Report {
	t.Helper()
	report, _ := sweepWith(t, s, Options{})
	return report
}

func TestSweepFindsWhatIsLeftAnywhere(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	inUse := i.AddUsedFiles(t, 3)
	row, chunks, bytes, both := i.AddFile(t), i.AddRemains(t, true, false), i.AddRemains(t, false, true), i.AddRemains(t, true, true)
	s := sweeper(t, i, q)
	report, orphans := sweepWith(t, s, Options{})
	want := []string{at(repo.FromRows, row), at(repo.FromVectors, chunks), at(repo.FromVectors, both), at(repo.FromBytes, bytes), at(repo.FromBytes, both)}
	slices.Sort(want)
	require.Equal(t, want, orphans.keys())
	require.EqualValues(t, 4, report.Files)
	require.EqualValues(t, 4, report.Published, "what is left of one file in two places is one event")
	require.Empty(t, report.Holds)
	require.Positive(t, orphans[at(repo.FromBytes, both)].Bytes)

	reasons := map[string]string{}
	for _, e := range fixture.EventsIn(t, q) {
		require.Equal(t, "sweep", e.Source)
		reasons[e.Subject] = e.Reason
	}
	require.Equal(t, map[string]string{row: "unreferenced", chunks: "vectors without a row", both: "vectors without a row", bytes: "bytes without a row"}, reasons)
	require.Zero(t, sweepOnce(t, s).Published, "the events are in the queue already")

	sum := i.Consume(t, q)
	require.Equal(t, 1, sum.Deleted)
	require.Equal(t, 3, sum.Gone)
	for _, id := range []string{row, chunks, bytes, both} {
		require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
	}
	for _, id := range inUse {
		require.Equal(t, fixture.Whole, i.LeftOf(t, id))
	}
	require.Zero(t, sweepOnce(t, s).Totals.Orphans)
}

// More than a page of each, and more than what is in flight at once.
func TestSweepOfManyPages(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	inUse := i.AddUsedFiles(t, 2)
	const n = 2*pageSize + 100
	i.Exec(t, `INSERT INTO document_chunk (id, collection_name, text, vmetadata)
		SELECT gen_random_uuid()::text, 'file-' || gen_random_uuid(), 'text', '{}' FROM generate_series(1, $1::int)`, n)
	for range n {
		require.NoError(t, os.WriteFile(filepath.Join(i.Uploads, testenv.NewID()+"_a"), nil, 0o600))
	}
	s := sweeper(t, i, q)
	s.pageSize = pageSize
	report := sweepOnce(t, s)
	require.EqualValues(t, 2*n, report.Published)
	require.EqualValues(t, 2*n, report.Totals.Orphans)
	require.EqualValues(t, n, report.Totals.Chunks)
	require.EqualValues(t, 2*n, fixture.QueueBacklog(t, q).Pending)
	require.Equal(t, 2*n, i.Consume(t, q).Gone)
	for _, id := range inUse {
		require.Equal(t, fixture.Whole, i.LeftOf(t, id))
	}
	require.Zero(t, sweepOnce(t, s).Totals.Orphans)
}

func TestSweepTellsWhenWhatIsDue(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 1)
	row, bytes := i.AddFile(t), i.AddRemains(t, false, true)
	s := sweeper(t, i, q)
	s.Ages = repo.Ages{Orphan: time.Hour}
	report, orphans := sweepWith(t, s, Options{})
	require.Zero(t, report.Published)
	for _, key := range []string{at(repo.FromRows, row), at(repo.FromBytes, bytes)} {
		require.Positive(t, orphans[key].DueIn)
		require.LessOrEqual(t, orphans[key].DueIn, int64(time.Hour/time.Second))
	}
	i.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '1 hour' WHERE file_id = $1`, bytes)
	report, orphans = sweepWith(t, s, Options{})
	require.EqualValues(t, 1, report.Published)
	require.Zero(t, orphans[at(repo.FromBytes, bytes)].DueIn)

	// A mention resets the clock.
	i.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '1 hour'`)
	chat := testenv.InsertChat(t, i.Pool, testenv.Chat{Files: []string{row}})
	_, orphans = sweepWith(t, s, Options{})
	require.NotContains(t, orphans, at(repo.FromRows, row))
	i.Exec(t, `DELETE FROM chat WHERE id = $1`, chat.ID)
	_, orphans = sweepWith(t, s, Options{})
	require.Positive(t, orphans[at(repo.FromRows, row)].DueIn)
}

// trace is everything that a sweep leaves.
func trace(t *testing.T, i *fixture.Installation, q *consumer.Queue) string {
	t.Helper()
	return fmt.Sprint(testenv.Column[string](t, i.Database, `
		SELECT to_jsonb(c)::text FROM pruned.candidate c UNION ALL SELECT to_jsonb(h)::text FROM pruned.hold h
		UNION ALL SELECT to_jsonb(b)::text FROM pruned.binding b UNION ALL SELECT to_jsonb(l)::text FROM pruned.lease l
		UNION ALL SELECT to_jsonb(l)::text FROM pruned.ledger l ORDER BY 1`), fixture.EventsIn(t, q))
}

func TestDryRunLeavesNoTrace(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 3)
	row, both := i.AddFile(t), i.AddRemains(t, true, true)
	held := sweeper(t, i, q)
	held.Blobs = bucket(i.Blobs)
	first := sweepOnce(t, held)
	i.AddRemains(t, true, true)
	before := trace(t, i, q)
	dry := sweeper(t, i, q)
	dry.Blobs, dry.DryRun = held.Blobs, true
	report, orphans := sweepWith(t, dry, Options{})
	require.Zero(t, report.Published)
	require.Equal(t, first.ID, report.ID, "what is held is told under its name")
	require.EqualValues(t, 2, report.Held)
	require.Contains(t, orphans, at(repo.FromRows, row))
	require.Contains(t, orphans, at(repo.FromBytes, both))
	require.Equal(t, before, trace(t, i, q))

	report, err := dry.Sweep(fixture.Context(t), Options{Confirm: first.ID})
	require.NoError(t, err)
	require.Zero(t, report.Held, "the store would be bound")
	require.Equal(t, before, trace(t, i, q))
}

func TestDistinct(t *testing.T) {
	t.Parallel()
	var d distinct
	for n := range 3 * maxDistinct / 4 {
		d.addText(fmt.Sprint(n))
		d.addText(fmt.Sprint(n / 2))
	}
	require.EqualValues(t, 3*maxDistinct/4, d.estimate(), "exact")
	for n := range 1_000_000 {
		d.addText(fmt.Sprint(n))
	}
	require.InEpsilon(t, 1_000_000, d.estimate(), 0.05)
	require.LessOrEqual(t, len(d.hashes), maxDistinct)
	require.Empty(t, contents{there: maxDistinct}.about())
	require.NotEmpty(t, contents{there: d.estimate()}.about())
}

// bucket holds the bytes of an installation in a store that others may use.
func bucket(blobs repo.Blobs) repo.Blobs {
	return fixture.DescribedBlobs{Blobs: blobs, As: repo.StoreInfo{Name: "s3://bucket"}}
}
