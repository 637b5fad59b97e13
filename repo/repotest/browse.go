package repotest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// browseCases are about lists that people look at page by page.
var browseCases = map[string]func(*testing.T, Engine){
	"browsing lists what is unused":    browseListsUnused,
	"browsing pages what is unused":    browsePagesUnused,
	"browsing sorts what was found":    browseSortsFound,
	"browsing lists no row that went":  browseListsNoRowThatWent,
	"browsing searches the ledger":     browseSearchesLedger,
	"browsing counts what went by day": browseCountsDays,
	"browsing shows a text's start":    browseShowsText,
}

// browse lists names of what a filter means.
func (e Engine) browse(t *testing.T, ages repo.Ages, f repo.UnusedFilter) (names []string, total int64) {
	t.Helper()
	if f.Limit == 0 {
		f.Limit = 100
	}
	page, total, err := e.DB.ListUnused(background(), ages, f)
	require.NoError(t, err)
	for _, u := range page {
		name := u.Name
		if name == "" {
			name = u.FileID
		}
		names = append(names, name)
	}
	return names, total
}

func browseListsUnused(t *testing.T, e Engine) {
	e.insert(t, "user", row{"id": aUser, "name": "Zoë"})
	large := e.file(t, with(aged(10*time.Hour), row{"filename": "Large.PDF", "user_id": aUser, "meta": `{"size": 900}`}))
	e.file(t, with(aged(30*time.Hour), row{"filename": "old.txt", "user_id": "gone", "meta": `{"size": 5}`}))
	n := e.begin(t)
	e.mark(t, n, repo.FromBytes, repo.Listed{FileID: "rowless", Name: "rowless_a", Size: 50})
	ages := repo.Ages{Min: 20 * time.Hour}
	for sort, want := range map[string][]string{
		"": {"Large.PDF", "rowless", "old.txt"}, "size": {"Large.PDF", "rowless", "old.txt"}, "age": {"old.txt", "Large.PDF", "rowless"},
		"due": {"old.txt", "Large.PDF", "rowless"}, "name": {"Large.PDF", "old.txt", "rowless"}, "owner": {"old.txt", "Large.PDF", "rowless"},
	} {
		names, total := e.browse(t, ages, repo.UnusedFilter{Sort: sort})
		require.EqualValues(t, 3, total)
		require.Equal(t, want, names, "by %q", sort)
	}
	for _, sort := range repo.UnusedSorts {
		_, total := e.browse(t, ages, repo.UnusedFilter{Sort: sort, Text: "rge.p"})
		require.EqualValues(t, 1, total)
	}
	for _, f := range []repo.UnusedFilter{{Direction: repo.FromRows, Text: "LARGE"}, {User: "zoë"}, {User: aUser}, {Text: large[:8]}, {ID: large}} {
		names, _ := e.browse(t, ages, f)
		require.Equal(t, []string{"Large.PDF"}, names, f)
	}
	_, total := e.browse(t, ages, repo.UnusedFilter{ID: large[:8]})
	require.Zero(t, total, "an id is no part of one")
	_, total = e.browse(t, ages, repo.UnusedFilter{Held: true})
	require.Zero(t, total)
	rows := e.hold(t, repo.Hold{ID: "h", Direction: repo.FromRows, Store: "database", Reason: "r", Found: 2, Total: 2})
	names, _ := e.browse(t, ages, repo.UnusedFilter{Held: true})
	require.Equal(t, []string{"Large.PDF", "old.txt"}, names)
	e.confirmSome(t, rows, large)
	names, _ = e.browse(t, ages, repo.UnusedFilter{Held: true})
	require.Equal(t, []string{"old.txt"}, names)
	_, _, err := e.DB.ListUnused(background(), ages, repo.UnusedFilter{Sort: "1; DROP TABLE file"})
	require.Error(t, err)

	page, _, err := e.DB.ListUnused(background(), ages, repo.UnusedFilter{Text: large, Limit: 5})
	require.NoError(t, err)
	require.Len(t, page, 1)
	want := e.candidates(t, repo.FromRows, ages)[large]
	near(t, want.DueIn, page[0].DueIn, "as a sweep measures it")
	near(t, want.Age, page[0].Age, "age")
	require.Equal(t, "Zoë", page[0].OwnerName)
	require.EqualValues(t, 900, page[0].Size)
	require.False(t, page[0].Held)
}

func browsePagesUnused(t *testing.T, e Engine) {
	ids := e.files(t, 25)
	e.begin(t)
	var seen []string
	for offset := 0; offset < 30; offset += 10 {
		page, total, err := e.DB.ListUnused(background(), repo.Ages{}, repo.UnusedFilter{Limit: 10, Offset: offset})
		require.NoError(t, err)
		require.EqualValues(t, 25, total)
		for _, u := range page {
			seen = append(seen, u.FileID)
		}
	}
	require.ElementsMatch(t, ids, seen)
	n, err := e.DB.CountFiles(background())
	require.NoError(t, err)
	require.EqualValues(t, 25, n)
}

// browseSortsFound: what an older program found is described by the next sweep, and so is
// what a batch found.
func browseSortsFound(t *testing.T, e Engine) {
	small := e.file(t, with(aged(30*time.Hour), row{"filename": "small", "meta": `{"size": 5}`}))
	large := e.file(t, with(aged(10*time.Hour), row{"filename": "large", "meta": `{"size": 900}`}))
	e.file(t, row{"filename": "odd", "meta": `{"size": "a"}`, "created_at": -1, "updated_at": nil})
	e.begin(t)
	e.Exec(t, `UPDATE `+e.Own("candidate")+` SET size = 0, made_at = NULL WHERE file_id = $1`, large)
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.SetGrace(ctx, tx, repo.FromRows, nil, []string{small}))
		require.NoError(t, e.DB.SetGrace(ctx, tx, repo.FromRows, []string{small}, nil))
	})
	e.begin(t)
	for sort, want := range map[string][]string{"size": {"large", "small", "odd"}, "age": {"small", "large", "odd"}} {
		names, _ := e.browse(t, repo.Ages{}, repo.UnusedFilter{Sort: sort})
		require.Equal(t, want, names, "by %s", sort)
	}
	sums, err := e.DB.SumCandidates(background())
	require.NoError(t, err)
	require.EqualValues(t, 905, sums[0].Size)
}

// browseListsNoRowThatWent: in no order, and by no filter, a row that went since the sweep
// is listed or counted.
func browseListsNoRowThatWent(t *testing.T, e Engine) {
	e.insert(t, "user", row{"id": aUser, "name": "Zoë"})
	left := e.file(t, row{"filename": "left.pdf", "user_id": aUser, "meta": `{"size": 5}`})
	went := e.file(t, row{"filename": "went.pdf", "user_id": aUser, "meta": `{"size": 900}`})
	n := e.begin(t)
	e.mark(t, n, repo.FromBytes, repo.Listed{FileID: "rowless", Name: "rowless_a", Size: 50})
	e.Exec(t, `DELETE FROM file WHERE id = $1`, went)
	for _, sort := range repo.UnusedSorts {
		for _, f := range []repo.UnusedFilter{{}, {Direction: repo.FromRows}, {Text: ".pdf"}, {User: "zoë"}} {
			want := []string{"left.pdf"}
			if f == (repo.UnusedFilter{}) {
				want = append(want, "rowless")
			}
			f.Sort = sort
			names, total := e.browse(t, repo.Ages{}, f)
			require.ElementsMatch(t, want, names, f)
			require.EqualValues(t, len(want), total, f)
		}
	}
	names, _ := e.browse(t, repo.Ages{}, repo.UnusedFilter{ID: went})
	require.Empty(t, names)
	names, _ = e.browse(t, repo.Ages{}, repo.UnusedFilter{ID: left})
	require.Equal(t, []string{"left.pdf"}, names)
}

func browseSearchesLedger(t *testing.T, e Engine) {
	id := e.file(t, row{"user_id": aUser, "filename": "Minutes.doc"})
	e.insert(t, "user", row{"id": aUser, "name": "Alice"})
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		_, err := e.DB.Delete(ctx, tx, []string{id}, time.Hour)
		require.NoError(t, err)
		require.NoError(t, e.DB.RecordEntries(ctx, tx, []repo.Entry{
			{FileID: id, Path: "/x/Report.pdf", Outcome: "deleted", Reason: "unreferenced"}, {FileID: "b", Outcome: "gone", Reason: "bytes without a row"},
			{FileID: "c", Outcome: "deleted"},
		}))
	})
	e.Exec(t, `UPDATE `+e.Own("ledger")+` SET at = $1 WHERE file_id = 'c'`, e.Moment(time.Now().Add(-10*day)))
	for _, c := range []struct {
		f    repo.LedgerFilter
		want []string
	}{
		{repo.LedgerFilter{}, []string{"c", "b", id}}, {repo.LedgerFilter{Text: "report"}, []string{id}}, {repo.LedgerFilter{Text: "minutes"}, []string{id}}, {repo.LedgerFilter{Text: "WITHOUT"}, []string{"b"}},
		{repo.LedgerFilter{Outcome: "deleted"}, []string{"c", id}}, {repo.LedgerFilter{Since: time.Now().Add(-day)}, []string{"b", id}},
		{repo.LedgerFilter{User: "alice"}, []string{id}}, {repo.LedgerFilter{User: aUser}, []string{id}}, {repo.LedgerFilter{User: "%"}, nil},
		{repo.LedgerFilter{Offset: 1}, []string{"b", id}},
	} {
		c.f.Limit = 10
		page, total, err := e.DB.ListLedger(background(), c.f)
		require.NoError(t, err)
		var ids []string
		for _, entry := range page {
			ids = append(ids, entry.FileID)
		}
		require.Equal(t, c.want, ids, c.f)
		require.EqualValues(t, len(c.want)+c.f.Offset, total)
	}
}

func browseCountsDays(t *testing.T, e Engine) {
	e.in(t, func(ctx context.Context, tx repo.Tx) {
		require.NoError(t, e.DB.RecordEntries(ctx, tx, []repo.Entry{
			{FileID: "a", Outcome: "deleted"}, {FileID: "b", Outcome: "gone"}, {FileID: "c", Outcome: "restored"}, {FileID: "d", Outcome: "deleted"}, {FileID: "e", Outcome: "deleted"},
		}))
	})
	today := time.Now().UTC().Truncate(day)
	for id, at := range map[string]time.Time{"a": today, "b": today.Add(-day), "c": today, "d": today.Add(-time.Second), "e": today.Add(-30 * day)} {
		e.Exec(t, `UPDATE `+e.Own("ledger")+` SET at = $1 WHERE file_id = $2`, e.Moment(at), id)
	}
	counts, err := e.DB.CountFreed(background(), 30)
	require.NoError(t, err)
	require.Equal(t, map[time.Time]int64{today: 1, today.Add(-day): 2}, counts)
}

func browseShowsText(t *testing.T, e Engine) {
	long := slices.Repeat([]byte("ab\\n"), 500)
	for data, want := range map[string]string{
		`{"content": "Größe \"1\"\nzwei", "status": "completed"}`: "Größe \"1\"\nzwei",
		`{"status": "completed"}`:                                 "", `null`: "", `{"content": ""}`: "",
	} {
		text, err := e.DB.ReadText(background(), e.file(t, row{"data": data}))
		require.NoError(t, err)
		require.Equal(t, want, text, data)
	}
	text, err := e.DB.ReadText(background(), e.file(t, row{"data": `{"content": "` + string(long) + `"}`}))
	require.NoError(t, err)
	require.Len(t, text, repo.MaxPreview)
	text, err = e.DB.ReadText(background(), "missing")
	require.NoError(t, err)
	require.Empty(t, text)
}
