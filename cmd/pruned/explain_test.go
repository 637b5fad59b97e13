package main

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// explained is what explain says in JSON.
type explained struct {
	ID         string  `json:"id"`
	Verdict    string  `json:"verdict"`
	Why        string  `json:"why"`
	AgeS       float64 `json:"age_s"`
	Status     string  `json:"status"`
	References []struct{ Table, Row, Column, Path string }
	Vectors    []struct {
		Collection string
		Chunks     int
	}
	Path string
}

func TestExplain(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	file := testenv.InsertFile(t, i.Pool, testenv.File{CreatedAt: time.Now().Add(-50 * time.Hour)})
	note := testenv.InsertNote(t, i.Pool, file.ID)
	base := testenv.InsertKnowledge(t, i.Pool, file.ID)
	testenv.InsertChunks(t, i.Pool, testenv.Chunks{FileID: file.ID, N: 3, Vectors: small})
	testenv.InsertChunks(t, i.Pool, testenv.Chunks{FileID: file.ID, Collection: base, N: 2, Vectors: small})

	members := ask[map[string]any](t, i, "explain", file.ID)
	for _, want := range []string{"id", "verdict", "age_s", "status", "references", "vectors", "path"} {
		require.Contains(t, slices.Collect(maps.Keys(members)), want)
	}
	for _, member := range []string{"table", "row", "column", "path"} {
		require.Contains(t, members["references"].([]any)[0], member)
	}
	for _, member := range []string{"collection", "chunks"} {
		require.Contains(t, members["vectors"].([]any)[0], member)
	}

	e := ask[explained](t, i, "explain", file.ID)
	require.Equal(t, file.ID, e.ID)
	require.Equal(t, "kept", e.Verdict)
	require.InDelta(t, 50*3600, e.AgeS, 600)
	require.Equal(t, "completed", e.Status)
	require.Equal(t, file.Path, e.Path)
	var tables, paths []string
	for _, r := range e.References {
		tables = append(tables, r.Table)
		paths = append(paths, r.Path)
		if r.Table == "note" {
			require.Equal(t, note, r.Row)
			require.Equal(t, "data", r.Column)
		}
	}
	require.Contains(t, tables, "note")
	require.Contains(t, tables, "knowledge_file")
	require.Contains(t, paths, "files[0].file.id")
	require.ElementsMatch(t, []struct {
		Collection string
		Chunks     int
	}{{base, 2}, {"file-" + file.ID, 3}}, e.Vectors)
	require.Equal(t, 1, i.left(t, file.ID).rows)
}

func TestExplainTellsWhatAClaimWouldDo(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	now := time.Now()
	for want, file := range map[string]testenv.File{
		"deleted": {CreatedAt: now.Add(-100 * time.Hour)},
		"young":   {CreatedAt: now.Add(-time.Hour)},
	} {
		id := testenv.InsertFile(t, i.Pool, file).ID
		e := ask[explained](t, i.with("PRUNED_MIN_AGE=24h"), "explain", id)
		require.Equal(t, want, e.Verdict, e.Why)
		require.Equal(t, 1, i.left(t, id).rows, "it is only explained")
	}
	require.Zero(t, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.candidate`))
}

func TestExplainUnknownIDs(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	testenv.NewFile(t, i.Pool)
	loose := testenv.NewID()
	testenv.InsertChunks(t, i.Pool, testenv.Chunks{FileID: loose, Vectors: small})
	for _, id := range []string{loose, testenv.NewID(), "no-uuid", "böse/id", "true", " "} {
		status, out, errs := i.pruned(t, "", "explain", id, "-o", "json")
		var e explained
		require.NoError(t, json.Unmarshal([]byte(out), &e))
		if id == loose {
			require.Zero(t, status)
			require.Equal(t, "gone", e.Verdict)
		} else {
			require.Equal(t, exitFailed, status)
			require.Equal(t, "unknown", e.Verdict)
			require.Contains(t, e.Why, "never seen")
			require.Contains(t, errs, "no file of this id was ever seen here")
		}
		require.NotNil(t, e.References)
		require.Empty(t, e.References)
		require.NotNil(t, e.Vectors)
		require.Len(t, e.Vectors, map[bool]int{true: 1}[id == loose])
		_, out, _ = i.pruned(t, "", "explain", id)
		require.Contains(t, out, "verdict  "+e.Verdict)
	}
	require.Equal(t, 1, i.left(t, loose).chunks)
}

// What is known outside the row is told too, and of a chat which and whose.
func TestExplainTellsEverything(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_ORPHAN_AGE=1h")
	file := testenv.InsertFile(t, i.Pool, testenv.File{})
	testenv.WriteBytes(t, i.uploads(), file.ID, file.Name)
	type told struct {
		Verdict string
		Bytes   []struct {
			Name string
			Size int
		}
		UnreferencedS *float64 `json:"unreferenced_s"`
		DueInS        *float64 `json:"due_in_s"`
		References    []struct {
			Title, Owner, Path string
			Cites              bool
		}
	}
	e := ask[told](t, i, "explain", file.ID)
	require.Equal(t, "young", e.Verdict)
	require.Nil(t, e.UnreferencedS)
	require.InDelta(t, 3600, *e.DueInS, 60)
	require.Len(t, e.Bytes, 1)
	require.Equal(t, file.ID+"_"+file.Name, e.Bytes[0].Name)
	require.Equal(t, 256, e.Bytes[0].Size)

	i.publish(t, file.ID)
	i.drain(t)
	i.Exec(t, `UPDATE pruned.candidate SET first_seen = first_seen - interval '40 minutes'`)
	e = ask[told](t, i, "explain", file.ID)
	require.InDelta(t, 2400, *e.UnreferencedS, 60)
	require.InDelta(t, 1200, *e.DueInS, 60)

	chat := testenv.InsertChat(t, i.Pool, testenv.Chat{Title: "About it", UserID: "somebody"})
	i.Exec(t, `UPDATE chat SET chat = $1 WHERE id = $2`, `{"messages":[{"sources":[{"source":{"id":"`+file.ID+`"}}]}]}`, chat.ID)
	e = ask[told](t, i, "explain", file.ID)
	require.Equal(t, "kept", e.Verdict)
	require.Nil(t, e.DueInS)
	require.Len(t, e.References, 1)
	require.Equal(t, "About it", e.References[0].Title)
	require.Equal(t, "somebody", e.References[0].Owner)
	require.True(t, e.References[0].Cites)
	require.Contains(t, i.must(t, "explain", file.ID), `citation`)

	e = ask[told](t, i.with("PRUNED_CITATIONS=ignore"), "explain", file.ID)
	require.Equal(t, "young", e.Verdict)
	require.Empty(t, e.References)
}

// A file that only a private note of a user who is gone keeps: that is said, and the
// setting lets it go without anything being read again.
func TestExplainWhatUsersLeft(t *testing.T) {
	type told struct{ Verdict, Why string }
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	i.seed(t, 1, 0)
	file := testenv.InsertFile(t, i.Pool, testenv.File{Name: "f", CreatedAt: time.Now().Add(-72 * time.Hour)})
	i.Exec(t, `INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('left', 'gone', $1, 1, 1)`, file.ID)
	e := ask[told](t, i, "explain", file.ID)
	require.Equal(t, "kept", e.Verdict)
	require.Contains(t, e.Why, "kept only by things of users who are gone")
	require.Equal(t, "deleted", ask[told](t, i.with("PRUNED_DEPARTED=ignore"), "explain", file.ID).Verdict)

	i.Exec(t, `INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('own', $1, $2, 1, 1)`, testenv.UserID, file.ID)
	require.NotContains(t, ask[told](t, i, "explain", file.ID).Why, "users who are gone")
	require.Equal(t, "kept", ask[told](t, i.with("PRUNED_DEPARTED=ignore"), "explain", file.ID).Verdict)
}

// In words: what keeps a file has a name and an owner, ages are short, and of one that is
// gone it is told by which event.
func TestExplainInWords(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	i.seed(t, 1, 0)
	i.Exec(t, `UPDATE "user" SET name = 'Alice' WHERE id = $1`, testenv.UserID)
	file := testenv.InsertFile(t, i.Pool, testenv.File{Name: "report.pdf", CreatedAt: time.Now().Add(-73 * time.Hour)})
	note := testenv.InsertNote(t, i.Pool, file.ID)
	base := testenv.InsertKnowledge(t, i.Pool, file.ID)
	i.Exec(t, `UPDATE note SET title = 'To do'`)
	i.Exec(t, `UPDATE knowledge SET name = 'Handbook' WHERE id = $1`, base)
	out := i.must(t, "explain", file.ID)
	for _, want := range []string{
		`(?m)^name +report\.pdf$`, `(?m)^owner +Alice \(` + testenv.UserID + `\)$`, `(?m)^age +3d$`,
		`(?m)^reference +note "To do" of user Alice \(` + testenv.UserID + `\): note ` + note + `, column data, files\[0\]\.file\.id$`,
		`(?m)^reference +knowledge base "Handbook" of user Alice .*: knowledge_file \S+, column file_id$`,
	} {
		require.Regexp(t, want, out)
	}
	members := ask[map[string]any](t, i, "explain", file.ID)
	require.Equal(t, "report.pdf", members["filename"])
	require.Equal(t, "Alice", members["owner_name"])

	i.Exec(t, `DELETE FROM note WHERE id = $1`, note)
	i.Exec(t, `DELETE FROM knowledge WHERE id = $1`, base)
	i.publish(t, file.ID)
	require.Equal(t, 1, i.drain(t).Deleted)
	require.Regexp(t, `(?m)^ledger +deleted \S+ \S+ \(\d+s ago\), report\.pdf, by event \S+ of pruned/publish, because: published by hand$`, i.must(t, "explain", file.ID))
}
