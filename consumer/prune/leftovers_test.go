package prune

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/leftover"
	"pruned/repo"
)

const (
	searchName = "web-search-0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11-c0ffee"
	heldName   = "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11/0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c12:2-00000000000000ff"
	memoryName = "user-memory-0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11"
)

// leftoverOf is what a transaction found of one that nothing uses, and for long enough.
func leftoverOf(t *testing.T, typ, name string) found {
	t.Helper()
	list := parseLeftovers([]event.Delivery{{Event: event.NewOf(typ, name, "test", "")}})
	require.Len(t, list, 1)
	list[0].known, list[0].grace = true, 30*day
	return list[0]
}

func TestDecideAboutLeftovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		typ   string // of a collection if empty
		about string // searchName if empty
		found func(*found)
		view  view
		ages  repo.Ages
		want  event.Outcome
		why   string
		retry time.Duration
	}{
		{name: "unused", want: event.Deleted},
		{name: "mentioned", found: func(f *found) { f.use.Reference = repo.Reference{Table: "chat", Row: "c"} }, want: event.Kept, why: "mentioned by chat c"},
		{name: "mentioned and not found", found: func(f *found) { f.use.Reference.Table, f.known = "chat", false }, want: event.Kept, why: "chat"},
		{name: "its user is there", about: memoryName, found: func(f *found) { f.use.Reference = repo.Reference{Table: "user", Row: "u"} }, want: event.Kept, why: "user u"},
		{name: "its user is gone", about: memoryName, want: event.Deleted},
		{name: "a point without a row", typ: event.PointsOrphaned, about: memoryName + "/m", want: event.Deleted},
		{name: "unknown to the index", found: func(f *found) { f.use.Unknown = true }, want: event.Young, why: "read once more", retry: time.Minute},
		{name: "no user is there", about: memoryName, found: func(f *found) { f.use.Restored = true }, want: event.Young, why: "restored", retry: 10 * time.Minute},
		{name: "a name that no search finds", about: "web-search-ü", found: func(f *found) { f.use.Unknown = true }, want: event.Kept, why: "no search can tell"},
		{name: "no sweep has found it", found: func(f *found) { f.known = false }, want: event.Gone, why: "no sweep"},
		{name: "known for too short a time", found: func(f *found) { f.grace = time.Hour }, want: event.Young, why: "for only 1h0m0s", retry: 23 * hour},
		{name: "known for the shorter of the ages", found: func(f *found) { f.grace = 2 * hour }, ages: repo.Ages{Min: hour, Orphan: 3 * hour}, want: event.Young, why: "only", retry: hour},
		{name: "known for long enough", found: func(f *found) { f.grace = day }, want: event.Deleted},
		{name: "somebody may yet mention it", view: view{found: repo.References{Pending: "a session"}}, want: event.Young, why: "may yet commit a mention of it: a session", retry: time.Minute},
		{name: "its row came meanwhile", view: view{late: lateReferencesError{event.CollectionOrphaned + "/" + searchName: {Table: "user", Row: "u"}}}, want: event.Kept, why: "user u"},
		{name: "a plugin's collection", about: "company-wiki", want: event.Kept, why: "another program's"},
		{name: "a file's own collection", about: "file-0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11", want: event.Kept, why: "another program's"},
		{name: "the collection of all knowledge bases", about: "knowledge-bases", want: event.Kept, why: "another program's"},
		{name: "a point of a knowledge base", typ: event.PointsOrphaned, about: "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11/p", want: event.Kept, why: "another program's"},
		{name: "chunks of a file that was taken out", typ: event.PointsOrphaned, about: heldName, want: event.Deleted},
		{name: "chunks of a file that may be being added, whatever the ages", typ: event.PointsOrphaned, about: heldName, ages: repo.Ages{Min: 1},
			found: func(f *found) { f.grace = 20 * time.Minute }, want: event.Young, why: "only 20m0s", retry: 40 * time.Minute},
		{name: "chunks of a file that was added", typ: event.PointsOrphaned, about: heldName,
			found: func(f *found) { f.use.Reference = repo.Reference{Table: "knowledge_file", Row: "k/f"} }, want: event.Kept, why: "knowledge_file k/f"},
		{name: "a point of the collection of all knowledge bases", typ: event.PointsOrphaned, about: "knowledge-bases/k", want: event.Deleted},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			typ, about, ages := c.typ, c.about, c.ages
			if typ == "" {
				typ = event.CollectionOrphaned
			}
			if about == "" {
				about = searchName
			}
			if ages == (repo.Ages{}) {
				ages = testAges
			}
			f := leftoverOf(t, typ, about)
			if c.found != nil {
				c.found(&f)
			}
			c.view.leftovers = []found{f}
			p := decide(c.view, ages)
			got := p.results[typ+"/"+about]
			require.Equal(t, c.want, got.Outcome, got.Detail)
			require.Contains(t, got.Detail, c.why)
			require.Equal(t, c.retry, got.RetryIn)
			require.Equal(t, c.want == event.Deleted, len(p.leftovers) == 1)
			require.Equal(t, c.want != event.Deleted, p.isEmpty())
			if c.want == event.Kept && f.known && !f.foreign {
				require.Equal(t, []leftover.Leftover{f.Leftover}, p.used)
			}
		})
	}
}
