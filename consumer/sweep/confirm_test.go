package sweep

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/consumer/reap"
	"pruned/repo"
	"pruned/repo/testenv"
	"pruned/vectors"
)

// A restore makes table file anew before it fills it: nothing of a file that is about
// to come back may go. A drain ends all the same, and so does what is left where the
// table stays empty, once a person has said so.
func TestEmptyTableLetsNothingGo(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	back, lost := i.AddFile(t), i.AddRemains(t, true, true)
	i.RefreshIndex(t)
	i.Exec(t, `CREATE TABLE kept AS SELECT * FROM file; DELETE FROM file`)
	fixture.Publish(t, q, fixture.EventsAbout(back, lost))
	sum := fixture.Drain(t, q, i.NewHandler(t, i.NewTransaction()), consumer.Options{Due: i.NewReaper(t).Due})
	require.Equal(t, 2, sum.Young)
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, back))
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile, Bytes: 1}, i.LeftOf(t, lost))

	i.Exec(t, `INSERT INTO file SELECT * FROM kept`)
	require.Equal(t, fixture.Whole, i.LeftOf(t, back))
	require.Equal(t, event.Gone, fixture.RunTransaction(t, i.NewTransaction(), lost)[lost].Outcome)
	i.DrainTombstones(t)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, lost))

	i.Exec(t, `DELETE FROM file`)
	s := sweeper(t, i, q)
	report := sweepOnce(t, s)
	require.Len(t, report.Holds, 2, "vectors and bytes")
	require.Zero(t, i.Consume(t, q).Gone)
	report, _ = sweepWith(t, s, Options{Confirm: report.ID})
	require.EqualValues(t, 1, report.Published)
	require.Equal(t, 1, i.Consume(t, q).Gone)
	require.Equal(t, fixture.Nothing, i.LeftOf(t, back))
}

// What waits for a store that nobody has bound is left, neither lost nor in a
// drain's way, until a person confirms a sweep, which is held for it alone.
func TestStoreThatNobodyBoundIsNotTouched(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 20)
	ids := i.AddFiles(t, 2)
	s := sweeper(t, i, q)
	require.EqualValues(t, 2, sweepOnce(t, s).Published)

	x, y := i.NewTransaction(), i.NewReaper(t)
	remote := vectors.Info{Name: "chroma at https://shared"}
	elsewhere := fixture.DescribedVectors{Store: i.Store, As: remote}
	x.Vectors, y.Vectors, s.Vectors = elsewhere, elsewhere, elsewhere
	sum := fixture.Drain(t, q, i.NewHandler(t, x), consumer.Options{Due: y.Due})
	require.Equal(t, 2, sum.Deleted)
	for _, id := range ids {
		require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, id), "row and bytes are this installation's")
	}
	waiting, err := y.Waiting(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, waiting.Files)
	require.Contains(t, waiting.For, remote.Name)

	// They are all that the sweep finds there, and are lent an id all the same.
	report := sweepOnce(t, s)
	require.Equal(t, []held{{repo.FromVectors, remote.Name, 2, 22}}, heldIn(report))
	require.Equal(t, "first sweep of a store that others may use", report.Holds[0].Reason)
	require.NoError(t, y.Drain(t.Context()))
	require.Equal(t, 2, i.CountTombstones(t))

	confirmed, _ := sweepWith(t, s, Options{Confirm: report.ID})
	require.Empty(t, confirmed.Holds)
	require.NoError(t, y.Drain(t.Context()))
	for _, id := range ids {
		require.Equal(t, fixture.Nothing, i.LeftOf(t, id))
	}
	require.Zero(t, i.CountTombstones(t))
	waiting, err = y.Waiting(t.Context())
	require.NoError(t, err)
	require.Equal(t, reap.Waiting{}, waiting)
}

// What was found since a person looked is not let go: nobody saw it.
func TestWhatWasNotShownStaysHeld(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 5)
	i.AddFiles(t, 12)
	s := sweeper(t, i, q)
	s.MaxFraction = 0.2
	shown := sweepOnce(t, s).Holds[0]
	part := Part{Only: []repo.Direction{repo.FromRows}, Shown: map[repo.Direction]time.Time{repo.FromRows: shown.ShownAt}}
	late := i.AddFiles(t, 1)[0]
	require.Equal(t, []held{{repo.FromRows, "database", 13, 18}}, heldIn(sweepOnce(t, s)))
	first, _ := sweepWith(t, s, Options{Confirm: shown.ID, Part: part})
	require.EqualValues(t, 12, first.LetGo.Files)
	require.Equal(t, []held{{repo.FromRows, "database", 1, 18}}, heldIn(first))
	require.Equal(t, 12, i.Consume(t, q).Deleted)
	require.Equal(t, fixture.Whole, i.LeftOf(t, late))
	_, err := s.Sweep(fixture.Context(t), Options{Confirm: shown.ID, Part: part})
	require.ErrorIs(t, err, ErrNothingConfirmed)
	part.Shown[repo.FromRows] = first.Holds[0].ShownAt
	rest, _ := sweepWith(t, s, Options{Confirm: shown.ID, Part: part})
	require.Empty(t, rest.Holds)
	require.Equal(t, 1, i.Consume(t, q).Deleted)
}

// What a person excepts stays held under the same id, however little it is, until it is
// confirmed as well, or comes into use.
func TestPartOfAHoldIsConfirmed(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 5)
	files := i.AddFiles(t, 12)
	i.Exec(t, `UPDATE file SET created_at = extract(epoch FROM now())::bigint - 86400, updated_at = created_at WHERE id = ANY ($1)`, files[:2])
	s := sweeper(t, i, q)
	s.MaxFraction = 0.2
	id := sweepOnce(t, s).ID
	refused := func(want string, p Part) {
		t.Helper()
		_, err := s.Sweep(fixture.Context(t), Options{Confirm: id, Part: p})
		require.ErrorIs(t, err, ErrNothingConfirmed)
		require.ErrorContains(t, err, want)
	}
	refused(`"nobody", which is to be excepted`, Part{Except: []string{files[0], "nobody"}})
	refused("is meant", Part{OlderThan: 10 * 365 * 24 * time.Hour})
	_, err := s.Sweep(fixture.Context(t), Options{Confirm: id, Part: Part{Only: []repo.Direction{repo.FromBytes}, OlderThan: time.Hour}})
	require.ErrorIs(t, err, repo.ErrNoHold)

	part, _ := sweepWith(t, s, Options{Confirm: id, Part: Part{OlderThan: 48 * time.Hour, Except: files[2:3]}})
	require.EqualValues(t, 9, part.Published)
	require.EqualValues(t, 9, part.LetGo.Files)
	require.Equal(t, id, part.ID)
	require.Equal(t, []held{{repo.FromRows, "database", 3, 17}}, heldIn(part))
	require.Equal(t, partlyConfirmed, part.Holds[0].Reason, "three of 17 are not too many")
	require.Equal(t, 9, i.Consume(t, q).Deleted)
	require.Zero(t, sweepOnce(t, s).Published)
	for _, file := range files[:3] {
		require.Equal(t, fixture.Whole, i.LeftOf(t, file))
	}
	testenv.InsertChat(t, i.Pool, testenv.Chat{Files: []string{files[0]}})
	rest, _ := sweepWith(t, s, Options{Confirm: id, Part: Part{Except: files[1:2]}})
	require.EqualValues(t, 1, rest.Published)
	require.Equal(t, []held{{repo.FromRows, "database", 1, 8}}, heldIn(rest))
	whole, _ := sweepWith(t, s, Options{Confirm: id})
	require.Empty(t, whole.Holds)
	require.Equal(t, 2, i.Consume(t, q).Deleted)
	require.Equal(t, fixture.Whole, i.LeftOf(t, files[0]))
	again, _ := sweepWith(t, s, Options{Confirm: id})
	require.NotNil(t, again.Earlier)
}

// Where only one direction is let go, the others stay held under the same id, although what
// they were held for has passed, or passes by the confirmation itself.
func TestOtherDirectionsOfAHoldStayHeld(t *testing.T) {
	t.Parallel()
	i, q := fixture.Install(t), fixture.OpenQueue(t)
	i.AddUsedFiles(t, 5)
	base := testenv.InsertKnowledge(t, i.Pool)
	lost := i.AddFiles(t, 5)
	for _, file := range lost {
		testenv.InsertChunks(t, i.Pool, testenv.Chunks{FileID: file, Collection: base, N: 1, Vectors: fixture.SmallVectors})
	}
	remains := i.AddRemains(t, true, true)
	s := sweeper(t, i, q)
	s.Vectors = fixture.DescribedVectors{Store: i.Store, As: vectors.Info{Name: "chroma at https://shared"}}
	report := sweepOnce(t, s)
	require.Len(t, report.Holds, 2, "rows, since links were lost, and a store that nobody approved")

	for _, file := range lost[:2] {
		testenv.LinkKnowledge(t, i.Pool, base, file)
	}
	part, _ := sweepWith(t, s, Options{Confirm: report.ID, Part: Part{Only: []repo.Direction{repo.FromVectors}}})
	require.Len(t, part.Holds, 1)
	require.Equal(t, repo.FromRows, part.Holds[0].Direction)
	require.Equal(t, report.ID, part.Holds[0].ID)
	require.EqualValues(t, 1, part.Published)
	require.Equal(t, 1, i.Consume(t, q).Gone)
	for _, file := range lost {
		require.Equal(t, 1, testenv.Value[int](t, i.Database, `SELECT count(*) FROM file WHERE id = $1`, file))
	}
	require.NotEqual(t, fixture.Whole, i.LeftOf(t, remains))
}
