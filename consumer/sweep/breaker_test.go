package sweep

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
	"pruned/vectors"
)

func TestTooMany(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		found, there int64
		most         float64
		held         bool
	}{
		{0, 0, 0.2, false},
		{10, 10, 0.2, false}, // few
		{11, 11, 0.2, true},
		{11, 55, 0.2, false}, // exactly the fraction
		{11, 54, 0.2, true},
		{20, 100, 0.2, false},
		{21, 100, 0.2, true},
		{11, 1000, 0, true},
		{10, 1000, 0, false},
		{100, 100, 1, false},
		{101, 100, 1, false}, // an estimate
		{100, 100, 0.99, true},
	} {
		require.Equal(t, c.held, exceedsFraction(repo.CandidateCount{Found: c.found, Total: c.there}, c.most) != "", "%+v", c)
	}
}

// hold is where something is held, and how much.
type held struct {
	direction repo.Direction
	store     string
	found     int64
	there     int64
}

func heldIn(r Report) (list []held) {
	for _, h := range r.Holds {
		list = append(list, held{h.Direction, h.Store, h.Found, h.Total})
	}
	return list
}

func TestBreakerHoldsOneDirectionAndNoOther(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 20)
	rows := i.AddFiles(t, 11)
	bytes := i.AddRemains(t, false, true)
	s := sweeper(t, i, q)
	s.MaxFraction = 0.2
	report := sweepOnce(t, s)
	require.Equal(t, []held{{repo.FromRows, "database", 11, 31}}, heldIn(report))
	require.EqualValues(t, 11, report.Held)
	require.EqualValues(t, 1, report.Published)
	require.Equal(t, bytes, fixture.EventsIn(t, q)[0].Subject)
	require.Equal(t, report.ID, report.Holds[0].ID)

	again := sweepOnce(t, s)
	require.Equal(t, report.ID, again.ID, "the id that confirms it stays")
	require.Zero(t, again.Published)

	// One more since, and one of those is used again.
	testenv.InsertChat(t, i.Pool, testenv.Chat{Files: []string{rows[0]}})
	since := i.AddFile(t)
	confirmed, _ := sweepWith(t, s, Options{Confirm: report.ID})
	require.Empty(t, confirmed.Holds, "one is not many")
	require.EqualValues(t, 11, confirmed.Published)
	i.Consume(t, q)
	require.Equal(t, fixture.Whole, i.LeftOf(t, rows[0]))
	for _, id := range append(rows[1:], since) {
		require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
	}
	again, _ = sweepWith(t, s, Options{Confirm: report.ID})
	require.NotNil(t, again.Earlier, "it was confirmed before")
	require.Zero(t, again.Earlier.Left)
	require.Nil(t, again.LetGo)
	_, err := s.Sweep(fixture.Context(t), Options{Confirm: "never"})
	require.ErrorIs(t, err, repo.ErrNoHold)
}

// What is confirmed is what was shown.
func TestConfirmLetsGoNothingElse(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 5)
	shown := i.AddFiles(t, 11)
	s := sweeper(t, i, q)
	s.MaxFraction = 0.2
	id := sweepOnce(t, s).ID
	since := i.AddFiles(t, 12)
	report, _ := sweepWith(t, s, Options{Confirm: id})
	require.EqualValues(t, len(shown), report.Published)
	require.Equal(t, []held{{repo.FromRows, "database", 12, 28}}, heldIn(report))
	require.NotEqual(t, id, report.ID)
	i.Consume(t, q)
	for _, id := range shown {
		require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
	}
	for _, id := range since {
		require.Equal(t, fixture.Whole, i.LeftOf(t, id))
	}
	require.EqualValues(t, 12, sweepOnce(t, s).Held)
}

func TestHoldEndsWhereItIsNoMoreDue(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 5)
	rows := i.AddFiles(t, 11)
	s := sweeper(t, i, q)
	s.MaxFraction = 0.2
	require.Len(t, sweepOnce(t, s).Holds, 1)
	testenv.InsertChat(t, i.Pool, testenv.Chat{Files: rows[:1]})
	report := sweepOnce(t, s)
	require.Empty(t, report.Holds)
	require.EqualValues(t, 10, report.Published)
	holds, err := i.DB.ListHolds(t.Context())
	require.NoError(t, err)
	require.Empty(t, holds)
}

// A wrong database, a wrong folder, a bucket of somebody else's.
func TestBarrenDatabaseHoldsWhateverTheCount(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddRemains(t, true, false)
	i.AddRemains(t, false, true)
	report := sweepOnce(t, sweeper(t, i, q))
	require.Equal(t, []held{{repo.FromVectors, "pgvector", 1, 1}, {repo.FromBytes, "uploads", 1, 1}}, heldIn(report))
	require.Zero(t, report.Published)

	row := i.AddFile(t)
	testenv.InsertChat(t, i.Pool, testenv.Chat{})
	report = sweepOnce(t, sweeper(t, i, q))
	require.Equal(t, []held{{repo.FromRows, "database", 1, 1}}, heldIn(report), "chats, and not one mention")
	require.EqualValues(t, 2, report.Published)
	i.Consume(t, q)
	require.Equal(t, fixture.Whole, i.LeftOf(t, row))
	report, _ = sweepWith(t, sweeper(t, i, q), Options{Confirm: report.ID})
	require.EqualValues(t, 1, report.Published)
}

// References stay in the index for a while when the rows with them vanish, such as
// in a restore that brings the files and not yet the chats. A fraction of 1 is no
// reason to believe that.
func TestVanishedReferencesHoldWhateverTheFraction(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	ids := i.AddUsedFiles(t, 5)
	s := sweeper(t, i, q)
	require.Zero(t, sweepOnce(t, s).Totals.Orphans)
	i.Exec(t, `DELETE FROM chat`)
	testenv.InsertChat(t, i.Pool, testenv.Chat{})
	require.Positive(t, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.reference`), "stale ones")
	report := sweepOnce(t, s)
	require.Equal(t, []held{{repo.FromRows, "database", 5, 5}}, heldIn(report))
	require.Zero(t, report.Published)
	i.Consume(t, q)
	for _, id := range ids {
		require.Equal(t, fixture.Whole, i.LeftOf(t, id))
	}
}

func TestFirstSweepOfAStoreThatOthersMayUse(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 20)
	row, bytes := i.AddFile(t), i.AddRemains(t, false, true)
	s := sweeper(t, i, q)
	s.Blobs = bucket(i.Blobs)
	report := sweepOnce(t, s)
	require.Equal(t, []held{{repo.FromBytes, "s3://bucket", 1, 22}}, heldIn(report))
	require.Equal(t, "first sweep of a store that others may use", report.Holds[0].Reason)
	require.EqualValues(t, 1, report.Published)
	require.Equal(t, row, fixture.EventsIn(t, q)[0].Subject)

	report, _ = sweepWith(t, s, Options{Confirm: report.ID})
	require.Empty(t, report.Holds)
	require.EqualValues(t, 1, report.Published)
	i.Consume(t, q)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, bytes))
	i.AddRemains(t, false, true)
	require.EqualValues(t, 1, sweepOnce(t, s).Published, "it is bound")

	i.AddRemains(t, false, true)
	s.Blobs = fixture.DescribedBlobs{Blobs: i.Blobs, As: repo.StoreInfo{Name: "s3://another"}}
	require.Len(t, sweepOnce(t, s).Holds, 1)
}

// A file that is in a held direction too: an event from elsewhere would go round
// the hold, whichever of the two it is.
func TestHeldDirectionHoldsWhatIsElsewhereToo(t *testing.T) {
	t.Parallel()
	for _, remote := range []repo.Direction{repo.FromVectors, repo.FromBytes} {
		t.Run(string(remote), func(t *testing.T) {
			t.Parallel()
			i, q := fixture.Install(t), fixture.OpenQueue(t)
			i.AddUsedFiles(t, 20)
			both, chunks, bytes := i.AddRemains(t, true, true), i.AddRemains(t, true, false), i.AddRemains(t, false, true)
			free, held := chunks, bytes
			s := sweeper(t, i, q)
			s.Blobs = bucket(i.Blobs)
			if remote == repo.FromVectors {
				s.Blobs, s.Vectors = i.ApprovedBlobs(), fixture.DescribedVectors{Store: i.Store, As: vectors.Info{Name: "chroma at https://shared"}}
				free, held = bytes, chunks
			}
			report := sweepOnce(t, s)
			require.EqualValues(t, 2, report.Held)
			require.EqualValues(t, 1, report.Published)
			require.Equal(t, free, fixture.EventsIn(t, q)[0].Subject)
			_, waiting, err := i.DB.NextCandidate(t.Context(), s.Ages)
			require.NoError(t, err)
			require.False(t, waiting, "nothing becomes due until somebody lets it go")
			i.Consume(t, q)
			require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, both))

			confirmed, _ := sweepWith(t, s, Options{Confirm: report.ID})
			require.EqualValues(t, 2, confirmed.Published, "what is left of one file in two places is one event")
			i.Consume(t, q)
			for _, id := range []string{both, free, held} {
				require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
			}
		})
	}
}
