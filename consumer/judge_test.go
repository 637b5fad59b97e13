package consumer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/repotest"
)

const (
	hour = time.Hour
	day  = 24 * hour
)

var testAges = repo.Ages{Min: day, Pending: 7 * day, Orphan: hour}

// ripe is a file that nothing keeps.
func ripe() repo.File {
	return repo.File{ID: "0b8f2c46-7c2f-4a57-9b1f-0e9f3d6a1c11", Age: 30 * day, Ripe: -29 * day, Orphan: 2 * hour, Clocked: true}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	id := ripe().ID
	chat := repo.Look{Referenced: map[string]repo.Reference{id: {Table: "chat", Row: "c1", Column: "chat"}}}
	for _, c := range []struct {
		name  string
		file  func(*repo.File)
		look  repo.Look
		ages  repo.Ages
		want  Outcome
		why   string
		retry time.Duration
	}{
		{name: "ripe and unreferenced", want: Deleted},
		{name: "referenced", look: chat, want: Kept, why: "mentioned by chat c1, column chat"},
		{name: "referenced, by the index alone", want: Kept, why: "mentioned by note n",
			look: repo.Look{Referenced: map[string]repo.Reference{id: {Table: "note", Row: "n"}}}},
		{name: "referenced by a table without key", want: Kept, why: "mentioned by plugin",
			look: repo.Look{Referenced: map[string]repo.Reference{id: {Table: "plugin"}}}},
		{name: "referenced and young", look: chat, file: func(f *repo.File) { f.Age, f.Ripe = hour, 23*hour }, want: Kept, why: "chat"},
		{name: "referenced and unknown", want: Kept, why: "chat",
			look: repo.Look{Referenced: chat.Referenced, Unknown: map[string]bool{id: true}}},
		{name: "another is referenced", look: repo.Look{Referenced: map[string]repo.Reference{"other": {}}}, want: Deleted},
		{name: "an id in upper case", file: func(f *repo.File) { f.ID = "0B8F2C46-7C2F-4A57-9B1F-0E9F3D6A1C11" }, want: Deleted},
		{name: "an id that is no UUID", file: func(f *repo.File) { f.ID = "report-2024" }, want: Deleted},
		{name: "an id that no search finds", file: func(f *repo.File) { f.ID = "böse/id" }, want: Kept, why: "no search can tell"},
		{name: "an id with a quote", file: func(f *repo.File) { f.ID = `a"b` }, want: Kept, why: "no search can tell"},
		{name: "unknown to the index", look: repo.Look{Unknown: map[string]bool{id: true}}, want: Young, why: "read once more", retry: time.Minute},
		{name: "young", file: func(f *repo.File) { f.Age, f.Ripe = hour, 23*hour }, want: Young, why: "1h0m0s old", retry: 23 * hour},
		{name: "young, and its clock runs longer", file: func(f *repo.File) { f.Age, f.Ripe, f.Orphan = day-time.Minute, time.Minute, 0 },
			want: Young, why: "old", retry: hour},
		{name: "nearly old enough", file: func(f *repo.File) { f.Ripe = time.Second }, want: Young, why: "old", retry: time.Minute},
		{name: "of an age just reached", file: func(f *repo.File) { f.Age, f.Ripe = day, 0 }, want: Deleted},
		{name: "in flight", file: func(f *repo.File) { f.InFlight, f.Ripe = true, 6*day }, want: Young, why: "processed", retry: 6 * day},
		{name: "in flight and of no age", ages: repo.Ages{Pending: day}, file: func(f *repo.File) { f.InFlight, f.Ripe = true, day },
			want: Young, why: "processed", retry: day},
		{name: "its clock starts now", file: func(f *repo.File) { f.Clocked, f.Orphan = false, 0 }, want: Young, why: "was not known", retry: hour},
		{name: "its clock has not run for long enough", file: func(f *repo.File) { f.Orphan = 40 * time.Minute },
			want: Young, why: "only 40m0s", retry: 20 * time.Minute},
		{name: "its clock has nearly run for long enough", file: func(f *repo.File) { f.Orphan = hour - time.Second },
			want: Young, why: "only", retry: time.Minute},
		{name: "its clock has just run for long enough", file: func(f *repo.File) { f.Orphan = hour }, want: Deleted},
		{name: "somebody may yet mention it", look: repo.Look{Pending: "a session"}, want: Young, why: "may yet commit a mention of it: a session", retry: time.Minute},
		{name: "somebody may, and somebody does", look: repo.Look{Pending: "a session", Referenced: map[string]repo.Reference{ripe().ID: {Table: "note"}}}, want: Kept, why: "note"},
		{name: "without a clock where none is wanted", ages: repo.Ages{Min: day}, file: func(f *repo.File) { f.Clocked, f.Orphan = false, 0 }, want: Deleted},
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
			got := judge(f, c.look, ages)
			require.Equal(t, c.want, got.Outcome, got.Detail)
			require.Contains(t, got.Detail, c.why)
			require.Equal(t, c.retry, got.RetryIn)
		})
	}
}

func TestJudgeGone(t *testing.T) {
	t.Parallel()
	require.Equal(t, Gone, judgeGone(nil, testAges).Outcome)
	require.Equal(t, Gone, judgeGone([]repo.Blob{{Name: "a", Age: 2 * day}, {Name: "b", Age: day}}, testAges).Outcome)
	got := judgeGone([]repo.Blob{{Name: "a", Age: 2 * day}, {Name: "b", Age: 20 * hour}}, testAges)
	require.Equal(t, Young, got.Outcome)
	require.Equal(t, 4*hour, got.RetryIn)
	require.Equal(t, Young, judgeGone([]repo.Blob{{Name: "a", Age: -hour}}, testAges).Outcome, "a clock that is ahead")
}

// The same rules by the rows that the application writes.
func TestAgesOfRealRows(t *testing.T) {
	t.Parallel()
	i := install(t)
	now := time.Now()
	old := now.Add(-30 * day)
	x := i.transaction()
	x.Ages = repo.Ages{Min: day, Pending: 7 * day}
	for name, c := range map[string]struct {
		file repotest.File
		want Outcome
	}{
		"old":                         {repotest.File{CreatedAt: old}, Deleted},
		"young":                       {repotest.File{CreatedAt: now.Add(-hour)}, Young},
		"from the future":             {repotest.File{CreatedAt: now.Add(365 * day)}, Young},
		"failed":                      {repotest.File{CreatedAt: old, Status: "failed"}, Deleted},
		"without status":              {repotest.File{CreatedAt: old, Status: "none"}, Deleted},
		"pending":                     {repotest.File{CreatedAt: now.Add(-2 * day), Status: "pending"}, Young},
		"processing again":            {repotest.File{CreatedAt: old, UpdatedAt: now.Add(-hour), Status: "processing"}, Young},
		"pending for ever":            {repotest.File{CreatedAt: old, Status: "pending"}, Deleted},
		"an id that no search finds":  {repotest.File{ID: `böse "id"/1`, CreatedAt: old}, Kept},
		"touched lately, not pending": {repotest.File{CreatedAt: old, UpdatedAt: now.Add(-hour)}, Deleted},
	} {
		id := repotest.InsertFile(t, i.Pool, c.file).ID
		i.refresh(t)
		result := run(t, x, id)[id]
		require.Equal(t, c.want, result.Outcome, "%s: %s", name, result.Detail)
	}
}

// A claim starts the clock of a file that nothing uses; a use stops it.
func TestClocks(t *testing.T) {
	t.Parallel()
	i := install(t)
	file := i.file(t)
	i.refresh(t)
	x := i.transaction()
	x.Ages.Orphan = hour
	since := func() int {
		return repotest.Value[int](t, i.Database, `SELECT count(*) FROM pruned.candidate WHERE file_id = $1`, file)
	}
	dry := *x
	dry.DryRun = true
	require.Equal(t, Young, run(t, &dry, file)[file].Outcome)
	require.Zero(t, since(), "a dry run starts no clock")

	require.Equal(t, Young, run(t, x, file)[file].Outcome)
	require.Equal(t, 1, since())
	i.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '59 minutes'`)
	require.Equal(t, Young, run(t, x, file)[file].Outcome)

	note := repotest.InsertNote(t, i.Pool, file)
	require.Equal(t, Kept, run(t, x, file)[file].Outcome)
	require.Zero(t, since())
	i.Exec(t, `DELETE FROM note WHERE id = $1`, note)
	require.Equal(t, Young, run(t, x, file)[file].Outcome)

	i.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '1 hour'`)
	require.Equal(t, Deleted, run(t, x, file)[file].Outcome)
	require.Zero(t, since())
}
