package prune

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/repo"
)

const (
	hour = time.Hour
	day  = 24 * hour
)

var testAges = repo.Ages{Min: day, Pending: 7 * day, Orphan: hour}

// ripe is a file that nothing keeps.
func ripe() repo.File {
	return repo.File{ID: "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11", Age: 30 * day, EligibleIn: -29 * day, UnreferencedFor: 2 * hour, HasGrace: true}
}

func TestDecideAboutRows(t *testing.T) {
	t.Parallel()
	id := ripe().ID
	chat := repo.References{Referenced: map[string]repo.Reference{id: {Table: "chat", Row: "c1", Column: "chat"}}}
	for _, c := range []struct {
		name  string
		file  func(*repo.File)
		look  repo.References
		ages  repo.Ages
		want  event.Outcome
		why   string
		retry time.Duration
	}{
		{name: "ripe and unreferenced", want: event.Deleted},
		{name: "referenced", look: chat, want: event.Kept, why: "mentioned by chat c1, column chat"},
		{name: "referenced, by the index alone", want: event.Kept, why: "mentioned by note n",
			look: repo.References{Referenced: map[string]repo.Reference{id: {Table: "note", Row: "n"}}}},
		{name: "referenced by a table without key", want: event.Kept, why: "mentioned by plugin",
			look: repo.References{Referenced: map[string]repo.Reference{id: {Table: "plugin"}}}},
		{name: "referenced and young", look: chat, file: func(f *repo.File) { f.Age, f.EligibleIn = hour, 23*hour }, want: event.Kept, why: "chat"},
		{name: "referenced and unknown", want: event.Kept, why: "chat",
			look: repo.References{Referenced: chat.Referenced, Unknown: map[string]bool{id: true}}},
		{name: "another is referenced", look: repo.References{Referenced: map[string]repo.Reference{"other": {}}}, want: event.Deleted},
		{name: "an id in upper case", file: func(f *repo.File) { f.ID = "0B8F2C46-7C2F-4A57-9B1F-0E9F3D6A1C11" }, want: event.Deleted},
		{name: "an id that is no UUID", file: func(f *repo.File) { f.ID = "report-2024" }, want: event.Deleted},
		{name: "an id that no search finds", file: func(f *repo.File) { f.ID = "böse/id" }, want: event.Kept, why: "no search can tell"},
		{name: "an id with a quote", file: func(f *repo.File) { f.ID = `a"b` }, want: event.Kept, why: "no search can tell"},
		{name: "unknown to the index", look: repo.References{Unknown: map[string]bool{id: true}}, want: event.Young, why: "read once more", retry: time.Minute},
		{name: "young", file: func(f *repo.File) { f.Age, f.EligibleIn = hour, 23*hour }, want: event.Young, why: "1h0m0s old", retry: 23 * hour},
		{name: "young, and its clock runs longer", file: func(f *repo.File) { f.Age, f.EligibleIn, f.UnreferencedFor = day-time.Minute, time.Minute, 0 },
			want: event.Young, why: "old", retry: hour},
		{name: "nearly old enough", file: func(f *repo.File) { f.EligibleIn = time.Second }, want: event.Young, why: "old", retry: time.Minute},
		{name: "of an age just reached", file: func(f *repo.File) { f.Age, f.EligibleIn = day, 0 }, want: event.Deleted},
		{name: "in flight", file: func(f *repo.File) { f.InFlight, f.EligibleIn = true, 6*day }, want: event.Young, why: "processed", retry: 6 * day},
		{name: "in flight and of no age", ages: repo.Ages{Pending: day}, file: func(f *repo.File) { f.InFlight, f.EligibleIn = true, day },
			want: event.Young, why: "processed", retry: day},
		{name: "its clock starts now", file: func(f *repo.File) { f.HasGrace, f.UnreferencedFor = false, 0 }, want: event.Young, why: "was not known", retry: hour},
		{name: "its clock has not run for long enough", file: func(f *repo.File) { f.UnreferencedFor = 40 * time.Minute },
			want: event.Young, why: "only 40m0s", retry: 20 * time.Minute},
		{name: "its clock has nearly run for long enough", file: func(f *repo.File) { f.UnreferencedFor = hour - time.Second },
			want: event.Young, why: "only", retry: time.Minute},
		{name: "its clock has just run for long enough", file: func(f *repo.File) { f.UnreferencedFor = hour }, want: event.Deleted},
		{name: "somebody may yet mention it", look: repo.References{Pending: "a session"}, want: event.Young, why: "may yet commit a mention of it: a session", retry: time.Minute},
		{name: "somebody may, and somebody does", look: repo.References{Pending: "a session", Referenced: map[string]repo.Reference{ripe().ID: {Table: "note"}}}, want: event.Kept, why: "note"},
		{name: "without a clock where none is wanted", ages: repo.Ages{Min: day}, file: func(f *repo.File) { f.HasGrace, f.UnreferencedFor = false, 0 }, want: event.Deleted},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := ripe()
			if c.file != nil {
				c.file(&f)
			}
			ages := c.ages
			if ages == (repo.Ages{}) {
				ages = testAges
			}
			got := decide(view{locked: repo.Locked{Files: []repo.File{f}}, found: c.look}, ages).results[f.ID]
			require.Equal(t, c.want, got.Outcome, got.Detail)
			require.Contains(t, got.Detail, c.why)
			require.Equal(t, c.retry, got.RetryIn)
		})
	}
}

func TestDecideAboutIDsWithoutARow(t *testing.T) {
	t.Parallel()
	const id = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11"
	bytes := func(ages ...time.Duration) map[string]sight {
		list := make([]repo.Blob, len(ages))
		for n, age := range ages {
			list[n] = repo.Blob{Name: id, Age: age}
		}
		return map[string]sight{id: {blobs: list}}
	}
	late := lateReferencesError{id: {Table: "file"}}
	for _, c := range []struct {
		name  string
		view  view
		want  event.Outcome
		why   string
		retry time.Duration
		stays bool // of what is left
	}{
		{name: "nothing is left", want: event.Gone},
		{name: "old bytes", view: view{bytes: bytes(2*day, day)}, want: event.Gone},
		{name: "young bytes among them", view: view{bytes: bytes(2*day, 20*hour)}, want: event.Young, why: "bytes that are 20h0m0s old", retry: 4 * hour, stays: true},
		{name: "bytes of a clock that is ahead", view: view{bytes: bytes(-hour)}, want: event.Young, why: "bytes", retry: 25 * hour, stays: true},
		{name: "its row may yet be committed", view: view{found: repo.References{PendingRows: "a session"}}, want: event.Young, why: "commit its row: a session", retry: minRetry, stays: true},
		{name: "a mention may yet be committed", view: view{found: repo.References{Pending: "a session"}}, want: event.Gone},
		{name: "its row appeared", view: view{late: late}, want: event.Busy, why: "appeared just now", stays: true},
		{name: "its row appeared beside young bytes", view: view{late: late, bytes: bytes(hour)}, want: event.Busy, why: "appeared just now", stays: true},
		{name: "no file ever had it", view: view{strangers: map[string]bool{id: true}, late: late, bytes: bytes(hour)}, want: event.Gone, why: "another program's", stays: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.view.locked.Gone = []string{id}
			p := decide(c.view, testAges)
			got := p.results[id]
			require.Equal(t, c.want, got.Outcome, got.Detail)
			require.Contains(t, got.Detail, c.why)
			require.Equal(t, c.retry, got.RetryIn)
			require.Equal(t, c.stays, p.isEmpty())
			require.Equal(t, c.view.bytes, p.bytes)
		})
	}
}

// Somebody may have brought bytes back since: before rows, as a restore does.
func TestBytesThatWereSeenLongAgoAreLookedForAgain(t *testing.T) {
	t.Parallel()
	seen := &seenBytes{of: map[string]sight{"new": {end: time.Now()}, "old": {end: time.Now().Add(-maxSightAge)}}}
	_, err := new(Transaction).findUnpending(t.Context(), nil, seen, []string{"new", "old", "unseen"})
	require.Equal(t, unseenBytesError{"old", "unseen"}, err)
}

func TestDecideAboutWhatCannotBeKnown(t *testing.T) {
	t.Parallel()
	p := decide(view{locked: repo.Locked{Busy: []string{"busy"}, Deferred: []string{"deferred"}}}, testAges)
	require.Equal(t, event.Busy, p.results["busy"].Outcome)
	require.Equal(t, event.Young, p.results["deferred"].Outcome)
	require.Contains(t, p.results["deferred"].Detail, "sweep --confirm")
	require.Equal(t, deferredRetry, p.results["deferred"].RetryIn)
	require.True(t, p.isEmpty())
}

// What goes, and whose grace period starts or ends, follows from the outcomes.
func TestDecidePlansWhatFollows(t *testing.T) {
	t.Parallel()
	files := map[string]func(*repo.File){
		"deleted":                     func(*repo.File) {},
		"kept, ends its grace":        func(*repo.File) {},
		"kept without grace":          func(f *repo.File) { f.HasGrace = false },
		"young, starts its grace":     func(f *repo.File) { f.HasGrace = false },
		"young, in its grace":         func(f *repo.File) { f.UnreferencedFor = 0 },
		"unknown, and so of no grace": func(f *repo.File) { f.HasGrace = false },
	}
	ids := map[string]string{}
	v := view{found: repo.References{Referenced: map[string]repo.Reference{}, Unknown: map[string]bool{}}}
	for name, change := range files {
		f := ripe()
		f.ID = fmt.Sprintf("0b8f2c46-7c2f-4a57-9b1f-%012d", len(ids))
		ids[name] = f.ID
		change(&f)
		v.locked.Files = append(v.locked.Files, f)
	}
	for _, name := range []string{"kept, ends its grace", "kept without grace"} {
		v.found.Referenced[ids[name]] = repo.Reference{Table: "note"}
	}
	v.found.Unknown[ids["unknown, and so of no grace"]] = true
	p := decide(v, testAges)
	require.Len(t, p.results, len(files))
	require.Equal(t, []string{ids["deleted"]}, p.rows)
	require.Empty(t, p.remains)
	require.Equal(t, []string{ids["young, starts its grace"]}, p.startGrace)
	require.Equal(t, []string{ids["kept, ends its grace"]}, p.endGrace)
	require.False(t, p.isEmpty())
}
