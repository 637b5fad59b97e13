package consumer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/repotest"
)

// sweeper sweeps an installation without regard to ages and fractions.
func (i *installation) sweeper(t *testing.T, q Publisher) *Sweeper {
	return &Sweeper{
		DB: i.db, Vectors: i.store, VectorStore: pgvectorStore,
		Blobs: i.blobs, BlobStore: uploadStore, Queue: q,
		MaxFraction: 1, Retention: 24 * hour, Log: testLog(t),
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

func sweepWith(t *testing.T, s *Sweeper, o SweepOptions) (SweepReport, found) {
	t.Helper()
	orphans := found{}
	o.Each = func(one Orphan) error {
		orphans[at(one.Direction, one.FileID)] = one
		return nil
	}
	report, err := s.Sweep(testContext(t), o)
	require.NoError(t, err)
	require.EqualValues(t, len(orphans), report.Totals.Orphans)
	return report, orphans
}

func sweepOnce(t *testing.T, s *Sweeper) SweepReport {
	t.Helper()
	report, _ := sweepWith(t, s, SweepOptions{})
	return report
}

// used adds files that chats use.
func (i *installation) used(t *testing.T, n int) []string {
	t.Helper()
	ids := i.files(t, n)
	for _, id := range ids {
		chat := repotest.InsertChat(t, i.Pool, repotest.Chat{Files: []string{id}})
		repotest.LinkChat(t, i.Pool, chat.ID, id)
	}
	return ids
}

// remains adds what is left of a file whose row is gone: vectors, bytes, or both.
func (i *installation) remains(t *testing.T, chunks, bytes bool) string {
	t.Helper()
	id := repotest.NewID()
	if chunks {
		i.chunks(t, id)
	}
	if bytes {
		repotest.WriteBytes(t, i.uploads, id, "left over.pdf")
	}
	return id
}

// consume handles what is in the queue, and what is left of it outside the
// transaction.
func (i *installation) consume(t *testing.T, q *Queue) Summary {
	t.Helper()
	sum := drain(t, q, i.batch(t, i.transaction()), Options{})
	i.carryOut(t)
	return sum
}

func claimsIn(t *testing.T, q *Queue) (events []Event) {
	t.Helper()
	for msg, err := range q.read(testContext(t), q.names.stream, jetstream.ConsumerConfig{FilterSubject: q.names.orphans()}) {
		require.NoError(t, err)
		e, err := ParseEvent(msg.Data())
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

func TestSweepFindsWhatIsLeftAnywhere(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	inUse := i.used(t, 3)
	row, chunks, bytes, both := i.file(t), i.remains(t, true, false), i.remains(t, false, true), i.remains(t, true, true)
	s := i.sweeper(t, q)
	report, orphans := sweepWith(t, s, SweepOptions{})
	want := []string{at(repo.FromRows, row), at(repo.FromVectors, chunks), at(repo.FromVectors, both), at(repo.FromBytes, bytes), at(repo.FromBytes, both)}
	slices.Sort(want)
	require.Equal(t, want, orphans.keys())
	require.EqualValues(t, 4, report.Files)
	require.EqualValues(t, 4, report.Published, "what is left of one file in two places is one claim")
	require.Empty(t, report.Holds)
	require.Positive(t, orphans[at(repo.FromBytes, both)].Bytes)

	reasons := map[string]string{}
	for _, e := range claimsIn(t, q) {
		require.Equal(t, "sweep", e.Source)
		reasons[e.Subject] = e.Reason
	}
	require.Equal(t, map[string]string{row: "unreferenced", chunks: "vectors without a row", both: "vectors without a row", bytes: "bytes without a row"}, reasons)
	require.Zero(t, sweepOnce(t, s).Published, "the claims are in the queue already")

	sum := i.consume(t, q)
	require.Equal(t, 1, sum.Deleted)
	require.Equal(t, 3, sum.Gone)
	for _, id := range []string{row, chunks, bytes, both} {
		require.Equal(t, nothing, i.left(t, id))
	}
	for _, id := range inUse {
		require.Equal(t, whole, i.left(t, id))
	}
	require.Zero(t, sweepOnce(t, s).Totals.Orphans)
}

// More than a page of each, and more than what is in flight at once.
func TestSweepOfManyPages(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	inUse := i.used(t, 2)
	const n = 2*sweepPage + 100
	i.Exec(t, `INSERT INTO document_chunk (id, collection_name, text, vmetadata)
		SELECT gen_random_uuid()::text, 'file-' || gen_random_uuid(), 'text', '{}' FROM generate_series(1, $1::int)`, n)
	for range n {
		require.NoError(t, os.WriteFile(filepath.Join(i.uploads, repotest.NewID()+"_a"), nil, 0o600))
	}
	s := i.sweeper(t, q)
	report := sweepOnce(t, s)
	require.EqualValues(t, 2*n, report.Published)
	require.EqualValues(t, 2*n, report.Totals.Orphans)
	require.EqualValues(t, n, report.Totals.Chunks)
	require.EqualValues(t, 2*n, backlog(t, q).Pending)
	require.Equal(t, 2*n, i.consume(t, q).Gone)
	for _, id := range inUse {
		require.Equal(t, whole, i.left(t, id))
	}
	require.Zero(t, sweepOnce(t, s).Totals.Orphans)
}

func TestSweepTellsWhenWhatIsDue(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	i.used(t, 1)
	row, bytes := i.file(t), i.remains(t, false, true)
	s := i.sweeper(t, q)
	s.Ages = repo.Ages{Orphan: hour}
	report, orphans := sweepWith(t, s, SweepOptions{})
	require.Zero(t, report.Published)
	for _, key := range []string{at(repo.FromRows, row), at(repo.FromBytes, bytes)} {
		require.Positive(t, orphans[key].DueIn)
		require.LessOrEqual(t, orphans[key].DueIn, int64(hour/time.Second))
	}
	i.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '1 hour' WHERE file_id = $1`, bytes)
	report, orphans = sweepWith(t, s, SweepOptions{})
	require.EqualValues(t, 1, report.Published)
	require.Zero(t, orphans[at(repo.FromBytes, bytes)].DueIn)

	// A mention resets the clock.
	i.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '1 hour'`)
	chat := repotest.InsertChat(t, i.Pool, repotest.Chat{Files: []string{row}})
	_, orphans = sweepWith(t, s, SweepOptions{})
	require.NotContains(t, orphans, at(repo.FromRows, row))
	i.Exec(t, `DELETE FROM chat WHERE id = $1`, chat.ID)
	_, orphans = sweepWith(t, s, SweepOptions{})
	require.Positive(t, orphans[at(repo.FromRows, row)].DueIn)
}

// trace is everything that a sweep leaves.
func (i *installation) trace(t *testing.T, q *Queue) string {
	t.Helper()
	return fmt.Sprint(repotest.Column[string](t, i.Database, `
		SELECT to_jsonb(c)::text FROM pruned.candidate c UNION ALL SELECT to_jsonb(h)::text FROM pruned.hold h
		UNION ALL SELECT to_jsonb(b)::text FROM pruned.binding b UNION ALL SELECT to_jsonb(l)::text FROM pruned.lease l
		UNION ALL SELECT to_jsonb(l)::text FROM pruned.ledger l ORDER BY 1`), claimsIn(t, q))
}

func TestDryRunLeavesNoTrace(t *testing.T) {
	t.Parallel()
	i, q := install(t), openQueue(t)
	i.used(t, 3)
	row, both := i.file(t), i.remains(t, true, true)
	held := i.sweeper(t, q)
	held.BlobStore.Name = "s3://bucket"
	first := sweepOnce(t, held)
	i.remains(t, true, true)
	before := i.trace(t, q)
	dry := i.sweeper(t, q)
	dry.BlobStore, dry.DryRun = held.BlobStore, true
	report, orphans := sweepWith(t, dry, SweepOptions{})
	require.Zero(t, report.Published)
	require.Equal(t, first.ID, report.ID, "what is held is told under its name")
	require.EqualValues(t, 2, report.Held)
	require.Contains(t, orphans, at(repo.FromRows, row))
	require.Contains(t, orphans, at(repo.FromBytes, both))
	require.Equal(t, before, i.trace(t, q))

	report, err := dry.Sweep(testContext(t), SweepOptions{Confirm: first.ID})
	require.NoError(t, err)
	require.Zero(t, report.Held, "the store would be bound")
	require.Equal(t, before, i.trace(t, q))
}

func TestDistinct(t *testing.T) {
	t.Parallel()
	var d distinct
	for n := range 3 * distinctMost / 4 {
		d.add(fmt.Sprint(n))
		d.add(fmt.Sprint(n / 2))
	}
	require.EqualValues(t, 3*distinctMost/4, d.count(), "exact")
	for n := range 1_000_000 {
		d.add(fmt.Sprint(n))
	}
	require.InEpsilon(t, 1_000_000, d.count(), 0.05)
	require.LessOrEqual(t, len(d.hashes), distinctMost)
}
