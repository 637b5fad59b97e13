package repotest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// sweepCases are what every engine promises to sweeps.
var sweepCases = map[string]func(*testing.T, Engine){
	"a sweep finds rows that nothing mentions":      sweepFindsRows,
	"a sweep keeps rows of which it cannot tell":    sweepKeepsUncertain,
	"a sweep knows rows without their parents":      sweepKnowsDeadRows,
	"a sweep knows links without their parents":     sweepKnowsDeadLinks,
	"a sweep reads tables without a key":            sweepReadsKeyless,
	"a sweep measures rows":                         sweepMeasuresRows,
	"a sweep looks again at a row that was touched": sweepLooksAtTouched,
	"a sweep finds bytes without a row":             sweepFindsBytes,
	"a sweep finds vectors without a row":           sweepFindsVectors,
	"a sweep measures what stores list":             sweepMeasuresListed,
	"a row that comes ends its candidates":          rowEndsCandidates,
	"a candidate that is listed no more goes":       unlistedGoes,
	"candidates come in pages":                      candidatesInPages,
	"a reported candidate is told":                  enqueuedIsTold,
	"the next candidate is told":                    nextIsTold,
	"the next candidate is the first of all":        nextIsTheFirst,
	"a refused sweep leaves nothing":                refusedSweepLeavesNothing,
	"what cannot be believed is told":               barrenIsTold,
	"what is held stays held":                       heldStaysHeld,
	"what is held elsewhere is told":                heldElsewhereIsTold,
	"what is confirmed goes":                        confirmedGoes,
	"another store is another matter":               anotherStoreIsNew,
	"folders are held and let go as files are":      foldersAreCandidates,
	"one process leads":                             oneLeads,
	"what is old is retired":                        oldIsRetired,
}

// begin refreshes, and marks rows.
func (e Engine) begin(t testing.TB) (sweep int64) {
	t.Helper()
	e.refresh(t)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		var err error
		sweep, err = e.DB.BeginSweep(ctx, tx)
		require.NoError(t, err)
		require.Positive(t, sweep)
	})
	e.in(t, func(ctx context.Context, tx repo.Tx) { require.NoError(t, e.DB.UpsertRowCandidates(ctx, tx, sweep)) })
	return sweep
}

// storeOf are the stores that mark lists.
var storeOf = map[repo.Direction]string{repo.FromVectors: "server", repo.FromBytes: "bucket", repo.FromFolders: "server",
	repo.FromCollections: "server", repo.FromPoints: "server"}

// mark marks what a store lists, in pages of two.
func (e Engine) mark(t testing.TB, sweep int64, d repo.Direction, listed ...repo.Listed) {
	t.Helper()
	for i := range listed {
		if d == repo.FromVectors {
			listed[i].Name = ""
		}
	}
	for page := range slices.Chunk(listed, 2) {
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			require.NoError(t, e.DB.UpsertListed(ctx, tx, sweep, d, storeOf[d], page))
		})
	}
	e.in(t, func(ctx context.Context, tx repo.Tx) { require.NoError(t, e.DB.DropStale(ctx, tx, sweep, d)) })
}

// sweep sweeps a direction, beside the rows.
func (e Engine) sweep(t testing.TB, d repo.Direction, listed ...repo.Listed) {
	t.Helper()
	e.mark(t, e.begin(t), d, listed...)
}

// candidates are all of a direction, by their ids, read in pages of two.
func (e Engine) candidates(t testing.TB, d repo.Direction, ages repo.Ages) map[string]repo.Candidate {
	t.Helper()
	all, after := map[string]repo.Candidate{}, ""
	for {
		var page []repo.Candidate
		e.in(t, func(ctx context.Context, tx repo.Tx) {
			var err error
			page, err = e.DB.ListCandidates(ctx, tx, d, ages, after, 2)
			require.NoError(t, err)
		})
		if len(page) == 0 {
			return all
		}
		require.LessOrEqual(t, len(page), 2)
		for _, c := range page {
			require.Equal(t, d, c.Direction)
			require.NotContains(t, all, c.FileID)
			require.False(t, c.Since.IsZero())
			all[c.FileID], after = c, c.FileID
		}
	}
}

// requireCandidates says which ids are candidates, and no others.
func (e Engine) requireCandidates(t testing.TB, d repo.Direction, ids ...string) map[string]repo.Candidate {
	t.Helper()
	all := e.candidates(t, d, repo.Ages{})
	require.ElementsMatch(t, ids, slices.Collect(maps.Keys(all)))
	return all
}

func (e Engine) census(t testing.TB, d repo.Direction, ages repo.Ages, listed int64) (census repo.CandidateCount) {
	t.Helper()
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		var err error
		census, err = e.DB.CountCandidates(ctx, tx, d, ages, listed)
		require.NoError(t, err)
	})
	return census
}

// sweepFindsRows: as of the last pass, and since when nothing mentions them.
func sweepFindsRows(t *testing.T, e Engine) {
	e.parents(t)
	ids := e.files(t, 4)
	note := e.insert(t, "note", row{"title": ids[1]})
	e.insert(t, "chat_file", row{"file_id": ids[2]})
	e.begin(t)
	first := e.requireCandidates(t, repo.FromRows, ids[0], ids[3])
	e.begin(t)
	require.Equal(t, first[ids[0]].Since, e.requireCandidates(t, repo.FromRows, ids[0], ids[3])[ids[0]].Since)

	// A clock that an event started is the same.
	e.Exec(t, `DELETE FROM note WHERE id = $1`, note)
	e.settle(t, ids...)
	e.startClocks(t, ids[1])
	started := e.requireCandidates(t, repo.FromRows, ids[0], ids[1], ids[3])[ids[1]].Since
	note = e.insert(t, "note", row{"data": strings.ReplaceAll(asItem, "%s", ids[0])})
	e.begin(t)
	require.Equal(t, started, e.requireCandidates(t, repo.FromRows, ids[1], ids[3])[ids[1]].Since)

	e.Exec(t, `UPDATE note SET data = NULL WHERE id = $1`, note)
	e.Exec(t, `DELETE FROM file WHERE id = $1`, ids[3])
	e.requireCandidates(t, repo.FromRows, ids[1])
	e.begin(t)
	again := e.requireCandidates(t, repo.FromRows, ids[0], ids[1])
	require.True(t, again[ids[0]].Since.After(first[ids[0]].Since), "it was in use meanwhile")
	require.Equal(t, repo.CandidateCount{Total: 3, Found: 2}, e.census(t, repo.FromRows, repo.Ages{}, 0))
}

// sweepKeepsUncertain: ids that no search finds, files that no pass has seen, and
// those that were mentioned before, until a refresh.
func sweepKeepsUncertain(t *testing.T, e Engine) {
	lone := e.file(t, row{"id": "lone.id"})
	e.file(t, row{"id": "a b"})
	used := e.file(t, row{"id": "Used~1"})
	e.insert(t, "note", row{"title": "x" + strings.ToUpper(used) + "y"})
	sweep := e.begin(t)
	e.requireCandidates(t, repo.FromRows, lone)

	mentioned := uuid.NewString()
	e.insert(t, "note", row{"title": mentioned})
	e.settle(t)
	restored := e.file(t, nil)
	e.file(t, row{"id": mentioned})
	marked := []string{lone}
	for range 2 {
		e.in(t, func(ctx context.Context, tx repo.Tx) { require.NoError(t, e.DB.UpsertRowCandidates(ctx, tx, sweep)) })
		e.requireCandidates(t, repo.FromRows, marked...)
		marked = append(marked, restored)
		e.pass(t)
	}
	e.begin(t)
	e.requireCandidates(t, repo.FromRows, marked[:2]...)
}

// sweepKnowsDeadRows: what only they mention is a candidate, until the parent
// comes back.
func sweepKnowsDeadRows(t *testing.T, e Engine) {
	const gone = "a-parent"
	e.parents(t)
	ids := e.files(t, 4)
	e.insertWith(t, e.Unchecked, "chat_file", row{"file_id": ids[0], "chat_id": gone})
	e.insertWith(t, e.Unchecked, "chat_message", row{"content": strings.ReplaceAll(asItem, "%s", ids[1]), "chat_id": gone})
	e.insertWith(t, e.Unchecked, "message", row{"content": ids[2], "channel_id": gone})
	e.insert(t, "message", row{"content": ids[3], "channel_id": nil})
	e.begin(t)
	e.requireCandidates(t, repo.FromRows, ids[:3]...)
	e.insert(t, "chat", row{"id": gone})
	e.begin(t)
	e.requireCandidates(t, repo.FromRows, ids[2])
	e.insert(t, "channel", row{"id": gone})
	e.begin(t)
	e.requireCandidates(t, repo.FromRows)
	e.Unchecked(t, `DELETE FROM chat WHERE id = $1`, gone)
	e.begin(t)
	e.requireCandidates(t, repo.FromRows, ids[:2]...)
}

// sweepKnowsDeadLinks: a link counts while what it links to is there, or while it names none.
func sweepKnowsDeadLinks(t *testing.T, e Engine) {
	const gone = "a-parent"
	e.parents(t)
	ids := e.files(t, 7)
	for i, link := range []struct {
		table   string
		columns row
	}{
		{"chat_file", row{"chat_id": gone}},
		{"channel_file", row{"channel_id": gone}},
		{"channel_file", row{"channel_id": aChannel, "message_id": gone}},
		{"knowledge_file", row{"knowledge_id": gone}},
		{"chat_file", nil},
		{"channel_file", row{"message_id": nil}},
		{"knowledge_file", nil},
	} {
		e.insertWith(t, e.Unchecked, link.table, with(link.columns, row{"file_id": ids[i]}))
	}
	e.begin(t)
	e.requireCandidates(t, repo.FromRows, ids[:4]...)
	for i, parent := range []string{"chat", "channel", "message", "knowledge"} {
		e.insert(t, parent, row{"id": gone})
		e.begin(t)
		e.requireCandidates(t, repo.FromRows, ids[i+1:4]...)
	}
	e.Unchecked(t, `DELETE FROM channel WHERE id = $1`, gone)
	e.begin(t)
	e.requireCandidates(t, repo.FromRows, ids[1])
}

// sweepReadsKeyless: a row that has no name is read each time.
func sweepReadsKeyless(t *testing.T, e Engine) {
	ids := append(e.files(t, 2), e.file(t, row{"id": "Lone.id"}))
	e.Exec(t, `CREATE TABLE extra (v text)`)
	e.Exec(t, `INSERT INTO extra VALUES ($1), ($2), (NULL)`, strings.ToUpper(ids[0]), "x"+strings.ToLower(ids[2]))
	e.begin(t)
	e.requireCandidates(t, repo.FromRows, ids[1])
	e.Exec(t, `DELETE FROM extra WHERE v IS NOT NULL`)
	e.begin(t)
	e.requireCandidates(t, repo.FromRows, ids...)
	e.Exec(t, `INSERT INTO extra VALUES ($1)`, ids[1])
	e.begin(t)
	e.requireCandidates(t, repo.FromRows, ids[0], ids[2])
}

// refusedSweepLeavesNothing is what a dry run relies on.
func refusedSweepLeavesNothing(t *testing.T, e Engine) {
	ids := e.files(t, 2)
	e.insert(t, "note", row{"title": ids[1]})
	e.sweep(t, repo.FromBytes, object("old", 1, 0))
	before := e.requireCandidates(t, repo.FromRows, ids[0])
	e.Exec(t, `DELETE FROM note`)
	e.refresh(t)
	s, ctx := e.DB.SweepStore, background()
	require.ErrorIs(t, e.DB.InTx(ctx, nil, func(tx repo.Tx) error {
		sweep, err := s.BeginSweep(ctx, tx)
		require.NoError(t, err)
		require.NoError(t, s.UpsertRowCandidates(ctx, tx, sweep))
		require.NoError(t, s.UpsertListed(ctx, tx, sweep, repo.FromBytes, storeOf[repo.FromBytes], []repo.Listed{object("new", 1, 0)}))
		require.NoError(t, s.DropStale(ctx, tx, sweep, repo.FromBytes))
		census, err := s.CountCandidates(ctx, tx, repo.FromRows, repo.Ages{}, 0)
		require.NoError(t, err)
		require.EqualValues(t, 2, census.Found)
		_, err = s.SetHold(ctx, tx, repo.Hold{ID: "h", Direction: repo.FromRows, Store: "database", Reason: "r", Found: 1, Total: 2})
		require.NoError(t, err)
		page, err := s.ListCandidates(ctx, tx, repo.FromBytes, repo.Ages{}, "", 10)
		require.NoError(t, err)
		require.Len(t, page, 1)
		require.Equal(t, "new", page[0].FileID)
		return errRefused
	}), errRefused)
	require.Equal(t, before[ids[0]].Since, e.requireCandidates(t, repo.FromRows, ids[0])[ids[0]].Since)
	e.requireCandidates(t, repo.FromBytes, "old")
	require.Empty(t, e.holds(t))
}
