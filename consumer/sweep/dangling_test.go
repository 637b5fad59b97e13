package sweep

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
)

const day = 24 * time.Hour

// dangling is an installation with rows of channels, some of which are gone.
type dangling struct {
	*fixture.Installation
	s *Sweeper
}

// installDangling has a channel that lives, with members, and members of one that is gone.
func installDangling(t *testing.T, living, gone int) dangling {
	t.Helper()
	d := dangling{Installation: fixture.Install(t)}
	d.s = sweeper(t, d.Installation, fixture.OpenQueue(t))
	d.s.RemovesDangling, d.s.MaxFraction = true, 0.2
	d.Exec(t, `INSERT INTO channel (id, user_id, name, created_at, updated_at) VALUES ('living', 'u', 'n', 1, 1)`)
	d.addMembers(t, "living", living)
	d.addMembers(t, "gone", gone)
	return d
}

func (d dangling) addMembers(t *testing.T, channel string, n int) {
	t.Helper()
	d.Exec(t, `INSERT INTO channel_member (id, channel_id, user_id, is_active, is_channel_muted, is_channel_pinned, joined_at)
		SELECT $1 || i, $1, 'u' || i, true, false, false, 1 FROM generate_series(1, $2::int) i`, channel, n)
}

func (d dangling) requireMembers(t *testing.T, living, gone int) {
	t.Helper()
	require.Equal(t, living, testenv.Value[int](t, d.Database, `SELECT count(*) FROM channel_member WHERE channel_id = 'living'`))
	require.Equal(t, gone, testenv.Value[int](t, d.Database, `SELECT count(*) FROM channel_member WHERE channel_id <> 'living'`))
}

func membersFound(found, total int64) []repo.DanglingCount {
	return []repo.DanglingCount{{Table: "channel_member", Found: found, Total: total}}
}

// They are counted, and kept, unless the settings say otherwise; a dry run removes nothing.
func TestDanglingRowsGoWhereTheSettingsSaySo(t *testing.T) {
	t.Parallel()
	d := installDangling(t, 5, 10)
	var log bytes.Buffer
	d.s.Log = zerolog.New(&log)
	d.s.RemovesDangling = false
	require.Equal(t, &Dangling{Tables: membersFound(10, 15), Found: 10, Kept: true}, sweepOnce(t, d.s).Dangling)
	d.s.RemovesDangling, d.s.DryRun = true, true
	require.Equal(t, &Dangling{Tables: membersFound(10, 15), Found: 10}, sweepOnce(t, d.s).Dangling)
	d.requireMembers(t, 5, 10)
	d.s.DryRun = false
	report := sweepOnce(t, d.s)
	require.Equal(t, &Dangling{Tables: membersFound(10, 15), Found: 10, Removed: 10}, report.Dangling)
	require.Empty(t, report.Holds, "ten are never too many")
	d.requireMembers(t, 5, 0)
	require.Equal(t, 1, strings.Count(log.String(), `"rows":10,"message":"removed rows that nothing in Open WebUI can reach"`), log.String())
	require.Equal(t, &Dangling{Tables: []repo.DanglingCount{}}, sweepOnce(t, d.s).Dangling)
}

// Nobody knows since when one is without its parent but from having seen it, so that it
// waits for both ages, and anew where the parent was there in between.
func TestDanglingRowsWaitForTheirAges(t *testing.T) {
	t.Parallel()
	for name, ages := range map[string]repo.Ages{"young": {Min: day}, "just found": {Orphan: day}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := installDangling(t, 5, 3)
			d.s.Ages = ages
			seen := func() { d.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '25 hours'`) }
			require.Zero(t, sweepOnce(t, d.s).Dangling.Removed)
			d.Exec(t, `INSERT INTO channel (id, user_id, name, created_at, updated_at) VALUES ('gone', 'u', 'n', 1, 1)`)
			seen()
			require.Zero(t, sweepOnce(t, d.s).Dangling.Found)
			d.Exec(t, `DELETE FROM channel WHERE id = 'gone'`)
			require.Zero(t, sweepOnce(t, d.s).Dangling.Removed)
			d.requireMembers(t, 5, 3)
			seen()
			require.EqualValues(t, 3, sweepOnce(t, d.s).Dangling.Removed)
			d.requireMembers(t, 5, 0)
		})
	}
}

// Too many of one table are held, until a person lets go what was shown, or the settings
// keep them.
func TestTooManyDanglingRowsAreHeld(t *testing.T) {
	t.Parallel()
	d := installDangling(t, 5, 1500)
	doomed := d.AddFile(t)
	d.AddUsedFiles(t, 20)
	const reason = "of table channel_member 1500 of 1505 would go, which is more than the fraction 0.2"
	report, orphans := sweepWith(t, d.s, Options{})
	require.Equal(t, []held{{repo.FromDangling, "database", 1500, 1525}}, heldIn(report))
	require.Equal(t, reason, report.Holds[0].Reason)
	require.Contains(t, orphans, at(repo.FromRows, doomed))
	require.EqualValues(t, 1, report.Published, "nothing else is held by that")
	d.requireMembers(t, 5, 1500)

	d.s.RemovesDangling = false
	require.Empty(t, sweepOnce(t, d.s).Holds)
	require.Zero(t, testenv.Value[int](t, d.Database, `SELECT count(*) FROM pruned.candidate WHERE direction = 'dangling'`))
	d.s.RemovesDangling = true
	report = sweepOnce(t, d.s)
	d.addMembers(t, "later", 20)
	report, _ = sweepWith(t, d.s, Options{Confirm: report.ID})
	require.EqualValues(t, 1500, report.Dangling.Removed)
	require.Equal(t, []held{{repo.FromDangling, "database", 20, 1545}}, heldIn(report), "nobody was shown these")
	d.requireMembers(t, 5, 20)
}

// A table of links that lost its last row would look like one that a migration has lost.
func TestLinksDoNotLoseTheirLastRow(t *testing.T) {
	t.Parallel()
	d := installDangling(t, 5, 0)
	file := d.AddUsedFiles(t, 1)[0]
	d.Exec(t, `ALTER TABLE chat_file DROP CONSTRAINT chat_file_chat_id_fkey`)
	d.Exec(t, `UPDATE chat_file SET chat_id = 'gone'`)
	report := sweepOnce(t, d.s)
	require.Equal(t, "not one of the 1 rows of table chat_file has what it links", report.Holds[0].Reason)
	chat := testenv.InsertChat(t, d.Pool, testenv.Chat{Files: []string{file}})
	testenv.LinkChat(t, d.Pool, chat.ID, d.AddFile(t))
	report = sweepOnce(t, d.s)
	require.Empty(t, report.Holds)
	require.EqualValues(t, 1, report.Dangling.Removed)
	require.Equal(t, 1, testenv.Value[int](t, d.Database, `SELECT count(*) FROM chat_file`))
}

// What a row mentioned that is gone now is found by the next sweep.
func TestDanglingRowLetsItsFileGo(t *testing.T) {
	t.Parallel()
	d := installDangling(t, 5, 0)
	d.AddUsedFiles(t, 3)
	file := d.AddFile(t)
	d.Exec(t, `ALTER TABLE channel_webhook DROP CONSTRAINT channel_webhook_channel_id_fkey`)
	d.Exec(t, `INSERT INTO channel_webhook (id, channel_id, user_id, name, token, profile_image_url, created_at, updated_at)
		VALUES ('w', 'gone', 'u', 'n', 't', '/api/v1/files/' || $1::text || '/content', 1, 1)`, file)
	report, orphans := sweepWith(t, d.s, Options{})
	require.EqualValues(t, 1, report.Dangling.Removed)
	require.NotContains(t, orphans, at(repo.FromRows, file))
	_, orphans = sweepWith(t, d.s, Options{})
	require.Contains(t, orphans, at(repo.FromRows, file))
}

// A sweep that may rest counts nothing again, and holds what is held.
func TestDanglingRowsAreNotCountedAllTheTime(t *testing.T) {
	t.Parallel()
	d := installDangling(t, 5, 11)
	report, _ := sweepWith(t, d.s, Options{Rest: true})
	require.Len(t, report.Holds, 1)
	d.s.dangled.took = time.Hour
	d.addMembers(t, "later", 1)
	again, _ := sweepWith(t, d.s, Options{Rest: true})
	require.Equal(t, report.Dangling, again.Dangling)
	require.Equal(t, report.Holds[0].ID, again.Holds[0].ID)
	again, _ = sweepWith(t, d.s, Options{})
	require.EqualValues(t, 12, again.Dangling.Found)
}
