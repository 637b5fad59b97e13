package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

type restoredFiles struct {
	DryRun            bool `json:"dry_run"`
	Restored, Refused int
	Files             []struct {
		FileID   string `json:"file_id"`
		Filename string
		Refused  string
	}
}

// What was deleted is listed, restored with its bytes, and told in the ledger.
func TestRestoreOfWhatWasDeleted(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_TRASH=72h")
	require.Equal(t, "none\n", i.must(t, "trash", "list"))
	require.Equal(t, "none\n", i.must(t, "restore", "--all"))
	require.Equal(t, "empty", ask[diagnosis](t, i, "doctor").of(t, "trash").Detail)
	i.Exec(t, `INSERT INTO "user" (id, name, email, role, profile_image_url, created_at, updated_at, last_active_at) VALUES ('alice', 'Alice', 'a@b', 'user', '', 1, 1, 1)`)
	seeded := i.seed(t, 10, 4)
	ids := seeded.Orphans
	i.Exec(t, `UPDATE file SET user_id = 'alice', filename = 'report.pdf', meta = '{"size": 2048}' WHERE id = $1`, ids[0])
	before := testenv.Value[string](t, i.Database, `SELECT md5(string_agg(f::text, '|' ORDER BY id)) FROM file f`)
	i.publish(t, ids...)
	require.Equal(t, 4, i.drain(t).Deleted)
	left := i.left(t, ids...)
	require.Zero(t, left.rows+left.chunks)
	require.Equal(t, 4, left.bytes, "bytes stay as long as the trash")

	require.Regexp(t, `\A4 +in the trash`, i.must(t, "trash", "list"))
	require.Regexp(t, `(?m) 72h +report\.pdf +Alice +2\.0 KiB +`+ids[0], i.must(t, "trash", "list"))
	require.ElementsMatch(t, ids, strings.Fields(i.must(t, "trash", "list", "-o", "name")))
	require.Equal(t, ids[:1], strings.Fields(i.must(t, "trash", "list", "-o", "name", "--user", "ALICE")))
	trash := ask[diagnosis](t, i, "doctor").of(t, "trash")
	require.Contains(t, trash.Detail, "4 files of ")
	require.Contains(t, trash.Remedy, "pruned trash empty")

	require.Regexp(t, `(?m)^trash +until \S+ \S+ \(in (72h|71h5\dm)\): .pruned restore `+ids[0]+`. takes it back$`, i.must(t, "explain", ids[0]))
	require.Regexp(t, `(?m)`+ids[0]+` +in the trash for (72h|71h5\dm)$`, i.must(t, "ledger"))

	dry := ask[restoredFiles](t, i, "restore", "--all", "--dry-run")
	require.True(t, dry.DryRun)
	require.Equal(t, 4, dry.Restored)
	require.Zero(t, i.left(t, ids...).rows)
	status, _, errs := i.pruned(t, "", "trash", "empty", "--dry-run")
	require.Equal(t, exitUsage, status)
	require.Contains(t, errs, "trash empty has no dry run")

	require.Equal(t, ids[0], ask[restoredFiles](t, i, "restore", "--user", "alice").Files[0].FileID)
	out := i.must(t, "restore", ids[1])
	require.Contains(t, out, "restored")
	require.Contains(t, out, "1 file restored, without vectors")
	require.Contains(t, out, "else it goes again, ")
	event := ask[[]map[string]any](t, i, "ledger", ids[2])[0]["event_id"].(string)
	require.Equal(t, 1, ask[restoredFiles](t, i, "restore", "--event", event).Restored)
	require.Equal(t, 1, ask[restoredFiles](t, i, "restore", "--since", "1h").Restored)
	left = i.left(t, ids...)
	require.Equal(t, 4, left.rows)
	require.Equal(t, 4, left.bytes)
	require.Equal(t, before, testenv.Value[string](t, i.Database, `SELECT md5(string_agg(f::text, '|' ORDER BY id)) FROM file f`))
	lines := ask[[]map[string]any](t, i, "ledger", ids[2])
	require.Len(t, lines, 2)
	require.Equal(t, "restored", lines[1]["outcome"])
	require.NotContains(t, i.must(t, "ledger")+i.must(t, "explain", ids[2]), "trash for")

	i.staysForAnAge(t, ids...)
	i.must(t, "uninstall", "--yes")
}

// staysForAnAge checks that the grace of restored files starts anew, however long nothing
// used them before they were deleted: no sweep publishes them, and an event, which may be
// an old one, finds them young.
func (i *installation) staysForAnAge(t *testing.T, ids ...string) {
	t.Helper()
	aged := i.with("PRUNED_ORPHAN_AGE=1h", "PRUNED_MAX_FRACTION=1")
	require.Zero(t, aged.sweep(t, exitDone).Published)
	aged.publish(t, ids...)
	summary := aged.drain(t)
	require.Equal(t, len(ids), summary.Young)
	require.Zero(t, summary.Deleted)
	for _, id := range ids {
		require.Equal(t, "young", ask[map[string]any](t, aged, "explain", id)["verdict"])
	}
}

// What cannot be restored is told, and fails the command.
func TestRestoreThatIsRefused(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_TRASH=72h")
	ids := i.seed(t, 10, 2).Orphans
	i.publish(t, ids...)
	require.Equal(t, 2, i.drain(t).Deleted)
	status, _, errs := i.pruned(t, "", "restore")
	require.Equal(t, exitUsage, status)
	require.Contains(t, errs, "wanted ids of files")
	bytes, err := filepath.Glob(filepath.Join(i.uploads(), ids[0]+"*"))
	require.NoError(t, err)
	require.Len(t, bytes, 1)
	require.NoError(t, os.Remove(bytes[0]))

	status, out, errs := i.pruned(t, "", "restore", "nobody", ids[0], ids[1])
	require.Equal(t, exitFailed, status)
	require.Contains(t, out, "it is not in the trash")
	require.Contains(t, out, "its bytes are gone: --without-bytes")
	require.Contains(t, errs, "not everything was restored: 2 of 3 were refused")
	require.Equal(t, 1, i.left(t, ids...).rows)
	i.must(t, "restore", "--without-bytes", ids[0])
	require.Equal(t, 2, i.left(t, ids...).rows)
}

// Open WebUI is asked for vectors of each file that came back. What fails of one is told
// with its id and keeps no other waiting; the same command tries it again.
func TestRestoreAsksForVectors(t *testing.T) {
	t.Parallel()
	const token = "sk-a-secret"
	asked, failing := map[string]int{}, ""
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := strings.Split(r.URL.Path, "/")[4]
		switch {
		case r.Header.Get("Authorization") != "Bearer "+token:
			w.WriteHeader(http.StatusUnauthorized)
		case id == failing && r.Method == http.MethodPost:
			w.WriteHeader(http.StatusBadRequest)
		default:
			asked[r.Method+" "+id]++
			_, _ = w.Write([]byte(`{"content": "a text"}`))
		}
	}))
	t.Cleanup(application.Close)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(token+"\n"), 0o600))

	i := install(t, testenv.Vectors(small)).with("PRUNED_TRASH=72h")
	ids := i.seed(t, 10, 3).Orphans
	failing = ids[1]
	i.publish(t, ids...)
	require.Equal(t, 3, i.drain(t).Deleted)
	status, _, errs := i.pruned(t, "", "restore", "--reindex", "--all")
	require.Equal(t, exitUsage, status)
	require.Contains(t, errs, "wanted OPEN_WEBUI_URL")
	require.Contains(t, errs, "OPEN_WEBUI_TOKEN")
	require.Zero(t, i.left(t, ids...).rows)

	i = i.with("OPEN_WEBUI_URL="+application.URL, "OPEN_WEBUI_TOKEN_FILE="+file)
	require.NotContains(t, i.must(t, "restore", "--reindex", "--all", "--dry-run"), "without vectors")
	require.Empty(t, asked)
	status, out, errs := i.pruned(t, "", "restore", "--reindex", ids[0], ids[1], "nobody")
	require.Equal(t, exitFailed, status)
	require.Contains(t, out, ids[0]+"  ")
	require.Contains(t, out, "restored; vectors: made")
	require.Contains(t, out, "vectors: index the text of file "+ids[1]+": Open WebUI answers 400 Bad Request")
	require.Contains(t, out, "refused: it is not in the trash")
	require.Contains(t, errs, "1 of 3 were refused")
	require.Contains(t, errs, "not all vectors were made: those of 1 file; `pruned restore --reindex ID...` tries them again")
	require.NotContains(t, out+errs, token)
	require.Equal(t, 2, i.left(t, ids...).rows)

	failing = ""
	again := ask[struct {
		Restored, Reindexed int
		Files               []map[string]any
	}](t, i, "restore", "--reindex", ids[1])
	require.Zero(t, again.Restored)
	require.Equal(t, 1, again.Reindexed)
	require.Equal(t, true, again.Files[0]["restored_before"])
	require.Equal(t, "made", again.Files[0]["vectors"])
	require.Equal(t, 1, asked["POST "+ids[0]])
	require.Equal(t, 1, asked["POST "+ids[1]])
	require.NotContains(t, asked, "GET nobody")
}

// A role that may not write files is told which GRANT that takes.
func TestRestoreWithoutThePrivilege(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_TRASH=72h")
	file := i.seed(t, 10, 1).Orphans[0]
	i.must(t, "migrate")
	role := "restores_for_" + i.Name
	i.Exec(t, `CREATE ROLE `+role+` LOGIN`)
	t.Cleanup(func() {
		i.Exec(t, `DROP OWNED BY `+role+` CASCADE`)
		i.Exec(t, `DROP ROLE `+role)
	})
	for statement := range strings.Lines(i.must(t, "doctor", "--grants", role)) {
		i.Exec(t, statement)
	}
	as := i.with("DATABASE_URL=" + strings.Replace(i.URL, "postgres@", role+"@", 1))
	as.publish(t, file)
	require.Equal(t, 1, as.drain(t).Deleted)
	status, _, errs := as.pruned(t, "", "restore", file)
	require.Equal(t, exitFailed, status)
	grant := `GRANT INSERT ON "` + i.Schema + `"."file" TO "` + role + `";`
	require.Contains(t, errs, grant)
	i.Exec(t, grant)
	as.must(t, "restore", file)
	require.Equal(t, 1, i.left(t, file).rows)
}

// In one folder the trash is emptied, and then is found nowhere.
func TestTrashOfAFolder(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=1", "PRUNED_TRASH=72h")
	before := holdings(t, world)
	i.sweep(t, exitDone)
	deleted := i.drain(t).Deleted
	require.Positive(t, deleted)
	entries := ask[[]map[string]any](t, i, "trash", "list")
	require.Len(t, entries, deleted)
	id := entries[0]["file_id"].(string)
	require.Equal(t, 1, ask[restoredFiles](t, i, "restore", id).Restored)
	require.Contains(t, holdings(t, world).Rows, id)
	i.staysForAnAge(t, id)

	require.Equal(t, "emptied 0\n", i.must(t, "trash", "empty", "--older-than", "1d"))
	require.Equal(t, "emptied 0\n", i.must(t, "trash", "empty", "--user", "nobody"))
	require.Contains(t, i.must(t, "trash", "empty"), "emptied ")
	require.Equal(t, "none\n", i.must(t, "trash", "list"))
	i.drain(t)
	after := holdings(t, world)
	require.Len(t, after.Rows, len(before.Rows)-deleted+1)
	for _, entry := range entries[1:] {
		status, out, _ := i.pruned(t, "", "trace", entry["file_id"].(string))
		require.Equal(t, exitFailed, status)
		require.NotContains(t, out, "pruned_trash")
		require.NotContains(t, out, "uploads ")
		break
	}
	i.must(t, "uninstall", "--yes")
}
