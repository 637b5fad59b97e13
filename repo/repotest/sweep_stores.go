package repotest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// object is one of a file's, so large and so old.
func object(id string, size int64, age time.Duration) repo.Listed {
	return repo.Listed{FileID: id, Name: id + "_report.pdf", Size: size, Age: age}
}

// sweepFindsBytes: what has a row, under its id in any letters or by the path of
// any row, is not without one, and what waits in a tombstone is dealt with.
func sweepFindsBytes(t *testing.T, e Engine) {
	used := e.file(t, nil)
	capital := e.file(t, row{"id": strings.ToUpper(uuid.NewString())})
	orphan, shared, buried, half := uuid.NewString(), uuid.NewString(), uuid.NewString(), uuid.NewString()
	e.file(t, row{"id": "plugin", "path": "s3://bucket/" + shared + "_report.pdf"})
	e.file(t, row{"path": half + "_1.pdf"})
	e.entomb(t,
		repo.Tombstone{Kind: repo.Bytes, FileID: buried, Name: buried + "_report.pdf", Delay: time.Hour},
		repo.Tombstone{Kind: repo.Bytes, FileID: half, Name: half + "_2.pdf", Delay: time.Hour},
		repo.Tombstone{Kind: repo.Vectors, FileID: orphan},
		repo.Tombstone{Kind: repo.Bytes, FileID: orphan, Name: "another.pdf"})
	e.sweep(t, repo.FromBytes,
		object(used, 1, day), object(capital, 2, day), object(strings.ToLower(capital), 4, day),
		object(shared, 8, day), object(buried, 16, day), object(orphan, 32, day),
		repo.Listed{FileID: half, Name: half + "_1.pdf", Size: 64, Age: day},
		repo.Listed{FileID: half, Name: half + "_2.pdf", Size: 128, Age: day},
		repo.Listed{FileID: half, Name: half + "_3.pdf", Size: 256, Age: day})
	found := e.requireCandidates(t, repo.FromBytes, orphan, half)
	require.EqualValues(t, 32, found[orphan].Size)
	require.EqualValues(t, 256, found[half].Size)
	require.Equal(t, repo.CandidateCount{Total: 9, Found: 2}, e.census(t, repo.FromBytes, repo.Ages{}, 9))
}

// sweepFindsVectors: likewise, whatever the bytes of a file are.
func sweepFindsVectors(t *testing.T, e Engine) {
	used := e.file(t, nil)
	capital := e.file(t, row{"id": strings.ToUpper(uuid.NewString())})
	orphan, buried := uuid.NewString(), uuid.NewString()
	e.file(t, row{"path": orphan})
	e.entomb(t,
		repo.Tombstone{Kind: repo.Vectors, FileID: buried},
		repo.Tombstone{Kind: repo.Bytes, FileID: orphan, Name: orphan})
	e.sweep(t, repo.FromVectors,
		repo.Listed{FileID: used, Chunks: 1}, repo.Listed{FileID: strings.ToLower(capital), Chunks: 1},
		repo.Listed{FileID: buried, Chunks: 1}, repo.Listed{FileID: orphan, Chunks: 3},
		repo.Listed{FileID: "Some.id", Chunks: 7}, repo.Listed{FileID: orphan, Chunks: 4})
	found := e.requireCandidates(t, repo.FromVectors, orphan, "Some.id")
	require.EqualValues(t, 7, found[orphan].Chunks)
	near(t, 0, found[orphan].Age, "age")
	e.requireCandidates(t, repo.FromBytes)

	// Listed again they do not double.
	e.sweep(t, repo.FromVectors, repo.Listed{FileID: orphan, Chunks: 5})
	again := e.requireCandidates(t, repo.FromVectors, orphan)
	require.EqualValues(t, 5, again[orphan].Chunks)
	require.Equal(t, found[orphan].Since, again[orphan].Since)
}

// sweepMeasuresListed: the youngest object counts, also for the vectors of its
// file, since an event is about both.
func sweepMeasuresListed(t *testing.T, e Engine) {
	ages := repo.Ages{Min: 10 * time.Hour, Pending: 100 * time.Hour, Orphan: time.Hour}
	sweep := e.begin(t)
	e.mark(t, sweep, repo.FromBytes, object("old", 1, 30*day), object("two", 2, 30*day), object("young", 4, 3*time.Hour),
		repo.Listed{FileID: "two", Name: "two_b", Size: 8, Age: 4 * time.Hour}, object("future", 16, -time.Hour))
	e.mark(t, sweep, repo.FromVectors, repo.Listed{FileID: "old"}, repo.Listed{FileID: "young"}, repo.Listed{FileID: "alone"})
	for d, want := range map[repo.Direction]map[string]repo.Candidate{
		repo.FromBytes: {
			"old":    {Age: 30 * day, DueIn: time.Hour, Size: 1},
			"two":    {Age: 4 * time.Hour, DueIn: 6 * time.Hour, Size: 10},
			"young":  {Age: 3 * time.Hour, DueIn: 7 * time.Hour, Size: 4},
			"future": {DueIn: 10 * time.Hour, Size: 16},
		},
		repo.FromVectors: {
			"old": {DueIn: time.Hour}, "young": {DueIn: 7 * time.Hour}, "alone": {DueIn: time.Hour},
		},
	} {
		found := e.candidates(t, d, ages)
		require.Len(t, found, len(want))
		for id, c := range want {
			near(t, c.Age, found[id].Age, "age of "+id)
			near(t, c.DueIn, found[id].DueIn, "until an event about "+id)
			require.Equal(t, c.Size, found[id].Size, id)
		}
	}
	require.EqualValues(t, 1, e.census(t, repo.FromBytes, ages, 5).Found)
	require.EqualValues(t, 2, e.census(t, repo.FromVectors, ages, 3).Found)
	require.LessOrEqual(t, e.candidates(t, repo.FromBytes, repo.Ages{})["old"].DueIn, time.Duration(0))
}

// rowEndsCandidates: an upload under way is listed before its row is there.
func rowEndsCandidates(t *testing.T, e Engine) {
	id, other := uuid.NewString(), uuid.NewString()
	directions := []repo.Direction{repo.FromVectors, repo.FromBytes}
	first := map[repo.Direction]time.Time{}
	for _, d := range directions {
		e.sweep(t, d, object(id, 1, day), object(other, 1, day))
		first[d] = e.requireCandidates(t, d, id, other)[id].Since
	}
	e.file(t, row{"id": id})
	for _, d := range directions {
		e.requireCandidates(t, d, other)
		require.EqualValues(t, 1, e.census(t, d, repo.Ages{}, 2).Found)
		e.sweep(t, d, object(id, 1, day), object(other, 1, day))
	}
	e.Exec(t, `DELETE FROM file WHERE id = $1`, id)
	for _, d := range directions {
		e.requireCandidates(t, d, other)
		e.sweep(t, d, object(id, 1, day))
		require.True(t, e.requireCandidates(t, d, id)[id].Since.After(first[d]), "it had a row meanwhile")
	}

	// Also one that comes between the listing and its end.
	sweep, late := e.begin(t), uuid.NewString()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.UpsertListed(ctx, tx, sweep, repo.FromBytes, storeOf[repo.FromBytes], []repo.Listed{object(late, 1, 0)}))
	})
	e.file(t, row{"id": late})
	e.mark(t, sweep, repo.FromBytes)
	e.Exec(t, `DELETE FROM file WHERE id = $1`, late)
	e.requireCandidates(t, repo.FromBytes)
}

// unlistedGoes: of its direction, and of no other.
func unlistedGoes(t *testing.T, e Engine) {
	id := e.file(t, nil)
	e.sweep(t, repo.FromVectors, object("a", 0, 0), object("b", 0, 0))
	e.sweep(t, repo.FromBytes, object("a", 1, 0), object("b", 1, 0), object("c", 1, 0))
	e.sweep(t, repo.FromBytes, object("b", 1, 0))
	e.requireCandidates(t, repo.FromBytes, "b")
	e.requireCandidates(t, repo.FromVectors, "a", "b")
	e.requireCandidates(t, repo.FromRows, id)
	e.sweep(t, repo.FromVectors)
	e.requireCandidates(t, repo.FromVectors)
	// A sweep that did not come to the end of its store forgets nothing.
	sweep := e.begin(t)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.UpsertListed(ctx, tx, sweep, repo.FromBytes, storeOf[repo.FromBytes], nil))
	})
	e.requireCandidates(t, repo.FromBytes, "b")
}
