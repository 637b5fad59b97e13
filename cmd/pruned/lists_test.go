package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// A list of what was deleted shows names, how many there are of each kind, and the newest.
func TestLedgerShowsNames(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	require.Equal(t, "none\n", i.must(t, "ledger"))
	i.seed(t, 30, 0)
	var ids []string
	for n := range 25 {
		ids = append(ids, testenv.InsertFile(t, i.Pool, testenv.File{Name: fmt.Sprintf("report %d.pdf", n)}).ID)
	}
	i.publish(t, ids...)
	require.Equal(t, 25, i.drain(t).Deleted)

	out := i.must(t, "ledger")
	require.Regexp(t, `\A25 +deleted +published by hand\n\nAT +OUTCOME +NAME +REASON +FILE +NOTE\n`, out)
	require.Regexp(t, `(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +deleted +report \d+\.pdf +published by hand +[0-9a-f-]{36} *$`, out)
	require.Contains(t, out, "5 older ones are not shown: --limit 0 shows all")
	require.Equal(t, 20, strings.Count(out, ".pdf"))
	require.Equal(t, 25, strings.Count(i.must(t, "ledger", "--limit", "0"), ".pdf"))
	require.Len(t, ask[[]any](t, i, "ledger"), 25, "a program gets all")
	require.Len(t, ask[[]any](t, i, "ledger", "--limit", "3"), 3)
	require.Empty(t, ask[[]any](t, i, "ledger", "--since", "2100-01-01"))
	require.Len(t, ask[[]any](t, i, "ledger", "--since", "1h"), 25)
	require.ElementsMatch(t, ids, strings.Fields(i.must(t, "ledger", "-o", "name")))
	wide := i.must(t, "ledger", "-o", "wide", "--limit", "1")
	require.Contains(t, wide, "EVENT")
	require.Contains(t, wide, "pruned/publish")

	for want, args := range map[string][]string{
		"--output=wide: doctor lists no files":       {"doctor", "-o", "wide"},
		"--output=name: explain <id> lists no files": {"explain", "x", "-o", "name"},
		`--since: "yesterday" is neither a time`:     {"ledger", "--since", "yesterday"},
		`--since: "tomorrow" is neither a time such`: {"dead", "list", "--since", "tomorrow"},
	} {
		status, _, errs := i.pruned(t, "", args...)
		require.Equal(t, exitUsage, status, args)
		require.Contains(t, errs, want)
	}
}

// Dead letters tell whose file they are about.
func TestDeadLettersShowNames(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	require.Equal(t, "none\n", i.must(t, "dead", "list"))
	i.Exec(t, `INSERT INTO "user" (id, name, email, role, profile_image_url, created_at, updated_at, last_active_at) VALUES ('alice', 'Alice', 'a@b', 'user', '', 1, 1, 1)`)
	file := testenv.InsertFile(t, i.Pool, testenv.File{Name: "held\x1b[31m.pdf"}).ID
	other := testenv.InsertFile(t, i.Pool, testenv.File{Name: "other.pdf"}).ID
	testenv.InsertNote(t, i.Pool, testenv.NewFile(t, i.Pool))
	i.Exec(t, `UPDATE file SET user_id = 'alice', meta = '{"size": 2048}' WHERE id = $1`, file)
	i.Exec(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'legal hold'; END $$`)
	i.Exec(t, `CREATE TRIGGER refuse BEFORE DELETE ON file FOR EACH ROW WHEN (OLD.id IN ('`+file+`', '`+other+`')) EXECUTE FUNCTION refuse()`)
	i.seed(t, 30, 10)
	i.publish(t, file, other)
	require.Equal(t, 2, i.drain(t).Poison)

	out := i.must(t, "dead", "list")
	require.Regexp(t, `\A2 +poison`, out)
	require.Regexp(t, `(?m)^\S+ +\S+ \S+ +poison +held�\[31m\.pdf +Alice +2\.0 KiB +`+file+` +.*legal hold`, out)
	require.NotContains(t, out, "\x1b")
	type named struct {
		FileID    string `json:"file_id"`
		Filename  string
		Owner     string
		OwnerName string `json:"owner_name"`
		Size      int64
	}
	want := named{file, "held\x1b[31m.pdf", "alice", "Alice", 2048}
	for _, user := range []string{"alice", "ALICE"} {
		require.Equal(t, []named{want}, ask[[]named](t, i, "dead", "list", "--user", user))
	}
	require.Len(t, ask[[]named](t, i, "dead", "list", "--limit", "1"), 1)
	require.Empty(t, ask[[]named](t, i, "dead", "list", "--since", "2100-01-01"))
	require.ElementsMatch(t, []string{file, other}, strings.Fields(i.must(t, "dead", "list", "-o", "name")))
}

func TestTextsOfUsersAreHarmless(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a�[2J�b", printableText("a\x1b[2J\nb", 0))
	require.Equal(t, "Größ…", printableText("Größe.pdf", 5))
	require.Equal(t, "x", printableText("x", 5))
	for path, want := range map[string]string{
		"/data/uploads/7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34_report.pdf": "report.pdf",
		"7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34":                          "",
		"7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34.png":                      ".png",
		"report.pdf": "report.pdf", "": "",
	} {
		require.Equal(t, want, objectTitle(path))
	}
}
