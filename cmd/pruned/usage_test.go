package main

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/fileinfo"
	"pruned/repo/testenv"
	"pruned/vectors"
)

// kind is one line of a report.
func (u usageReport) kind(t *testing.T, name string) kindUsage {
	t.Helper()
	for _, k := range u.Kinds {
		if k.Kind == name {
			return k
		}
	}
	require.Fail(t, "no such kind", name)
	return kindUsage{}
}

// requireCounted says what a kind comes to.
func (u usageReport) requireCounted(t *testing.T, name string, count int) {
	t.Helper()
	k := u.kind(t, name)
	require.NotNil(t, k.Count, name)
	require.EqualValues(t, count, *k.Count, name)
	require.NotNil(t, k.Bytes, name)
}

// allocatedIn is what files take of the disk.
func allocatedIn(t *testing.T, paths ...string) (bytes int64) {
	t.Helper()
	for _, path := range paths {
		info, err := os.Lstat(path)
		require.NoError(t, err)
		bytes += fileinfo.AllocatedBytes(info)
	}
	return bytes
}

func uploadsOf(t *testing.T, i *installation, id string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(i.uploads(), id+"*"))
	require.NoError(t, err)
	return paths
}

// queryFile reads a column of a file of SQLite.
func queryFile[T any](t *testing.T, path, query string, args ...any) (list []T) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), query, args...)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var value T
		require.NoError(t, rows.Scan(&value))
		list = append(list, value)
	}
	require.NoError(t, rows.Err())
	return list
}

// useOfUser finds a user in a report.
func useOfUser(t *testing.T, list []*useOf, id string) *useOf {
	t.Helper()
	for _, u := range list {
		if u.ID == id {
			return u
		}
	}
	require.Fail(t, "no such owner", id)
	return nil
}

// The figures are those of the installation: rows, chunks, objects, folders, the cache.
func TestUsageOfAFolder(t *testing.T) {
	t.Parallel()
	i, world := scratch(t)
	cacheIn(t, world.Dir)
	exec := openWorld(t, world)
	exec(`CREATE TABLE user (id VARCHAR PRIMARY KEY, name VARCHAR, email VARCHAR)`)
	exec(`INSERT INTO user VALUES ('ann', 'Ann', 'ann@example.com')`)
	held := holdings(t, world)
	mine := held.Rows[:5]
	for _, id := range mine {
		exec(`UPDATE file SET user_id = 'ann' WHERE id = ?1`, id)
	}
	before := dump(t, filesOf(world)[0])
	report := ask[usageReport](t, i, "usage")
	require.Empty(t, report.NotCounted)
	require.Equal(t, before, dump(t, filesOf(world)[0]))

	report.requireCounted(t, "rows", len(held.Rows))
	report.requireCounted(t, "texts", len(held.Rows))
	report.requireCounted(t, "chunks", held.Chunks)
	report.requireCounted(t, "folders", len(held.Collections))
	report.requireCounted(t, "bytes", len(held.Bytes))
	report.requireCounted(t, "cache", 3)
	require.Equal(t, allocatedIn(t, uploadsOf(t, i, "")...), *report.kind(t, "bytes").Bytes)
	require.Equal(t, allocatedIn(t, filesOf(world)[1]), *report.kind(t, "chunks").Bytes)
	require.Equal(t, queryFile[int64](t, filesOf(world)[0], `SELECT sum(octet_length(data)) FROM file`)[0], *report.kind(t, "texts").Bytes)

	ann := useOfUser(t, report.Users, "ann")
	require.Equal(t, "Ann", ann.Name)
	require.False(t, ann.Gone)
	require.EqualValues(t, len(mine), *ann.Files)
	require.Zero(t, *ann.Missing)
	var paths []string
	chunks := 0
	for _, id := range mine {
		paths = append(paths, uploadsOf(t, i, id)...)
		chunks += queryFile[int](t, filesOf(world)[1], `SELECT count(*) FROM embeddings e JOIN segments s ON s.id = e.segment_id JOIN collections c ON c.id = s.collection WHERE c.name = 'file-' || ?1`, id)[0]
	}
	require.Equal(t, allocatedIn(t, paths...), *ann.Bytes)
	require.EqualValues(t, chunks, *ann.Chunks)

	require.Equal(t, 2, report.UserCount)
	all := int64(0)
	for _, user := range report.Users {
		all += *user.Chunks
		require.Equal(t, user.ID != "ann", user.Gone)
	}
	require.EqualValues(t, held.Chunks, all+*report.Ownerless, "each chunk is somebody's, or nobody's")
	require.Positive(t, *report.Ownerless, "some vectors have no row")

	require.Len(t, report.Knowledge, 1)
	shelf := report.Knowledge[0]
	linked := queryFile[string](t, filesOf(world)[0], `SELECT file_id FROM knowledge_file WHERE knowledge_id = ?1`, shelf.ID)
	paths = nil
	for _, id := range linked {
		paths = append(paths, uploadsOf(t, i, id)...)
	}
	require.Equal(t, "Reports", shelf.Name)
	require.EqualValues(t, len(linked), *shelf.Files)
	require.EqualValues(t, 3*len(linked), *shelf.Chunks)
	require.Equal(t, allocatedIn(t, paths...), *shelf.Bytes)
}

// Rows without their bytes, and contents that several rows have, are told by both engines.
func TestUsageTellsOfMissingBytesAndRepeatedContents(t *testing.T) {
	t.Parallel()
	folder, world := scratch(t)
	rows := holdings(t, world).Rows
	server := install(t, testenv.Vectors(small))
	seeded := server.seed(t, 20, 5)
	sqlite := openWorld(t, world)
	for name, c := range map[string]struct {
		i    *installation
		ids  []string
		exec func(query string, args ...any)
	}{
		"sqlite":   {folder, rows, sqlite},
		"postgres": {server, seeded.InUse, func(query string, args ...any) { server.Exec(t, query, args...) }},
	} {
		t.Run(name, func(t *testing.T) {
			ids := c.ids
			c.exec(`UPDATE file SET meta = '{"file_hash":"ab12"}', hash = NULL WHERE id IN ($1, $2, $3)`, ids[0], ids[1], ids[2])
			c.exec(`UPDATE file SET meta = '{}', hash = 'text' WHERE id IN ($1, $2)`, ids[3], ids[4])
			c.exec(`UPDATE file SET meta = '{}', hash = $1 WHERE id IN ($2, $3)`, hashOfNothing, ids[5], ids[6])
			lost := uploadsOf(t, c.i, ids[2])
			require.Len(t, lost, 1)
			require.NoError(t, os.Remove(lost[0]))
			report := ask[usageReport](t, c.i, "usage")
			require.Equal(t, &missing{1, []string{ids[2]}}, report.Missing)
			require.EqualValues(t, 2, report.Repeated.Contents, "that nothing was read out of two files makes them no copies")
			require.EqualValues(t, 5, report.Repeated.Rows)
			require.Equal(t, allocatedIn(t, uploadsOf(t, c.i, ids[1])[0], uploadsOf(t, c.i, ids[4])[0]), *report.Repeated.Bytes)
			require.Len(t, report.Repeated.Examples, 2)
			for _, one := range report.Repeated.Examples {
				want := map[string][]string{"ab12": ids[:3], "text": ids[3:5]}[one.Hash]
				require.ElementsMatch(t, want, one.Files)
				require.EqualValues(t, len(want), one.Rows)
			}
			text := c.i.must(t, "usage")
			require.Contains(t, text, "missing bytes: of 1 row: "+ids[2])
			require.Contains(t, text, "stored more than once: 2 contents, in 5 rows; the copies take ")
			require.Len(t, uploadsOf(t, c.i, ids[0]), 1, "told, and never touched")
		})
	}
}

func TestUsageOfPostgreSQL(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	seeded := i.seed(t, 50, 10)
	testenv.InsertFile(t, i.Pool, testenv.File{UserID: "gone", ID: "plain-id", Path: "/elsewhere/plain"})
	testenv.InsertChunks(t, i.Pool, testenv.Chunks{FileID: "plain-id", N: 4, Vectors: small})
	testenv.InsertChunks(t, i.Pool, testenv.Chunks{FileID: testenv.NewID(), N: 2, Vectors: small})
	testenv.InsertChunks(t, i.Pool, testenv.Chunks{Collection: "user-memory-" + testenv.UserID, FileID: "m", N: 3, Vectors: small})
	testenv.InsertChunks(t, i.Pool, testenv.Chunks{Collection: "my-plugin", FileID: "m", Vectors: small})
	testenv.InsertChunks(t, i.Pool, testenv.Chunks{Collection: vectors.KnowledgeNames, FileID: "m", Vectors: small}) // nobody's, and in use
	report := ask[usageReport](t, i, "usage")
	require.Empty(t, report.NotCounted)
	report.requireCounted(t, "rows", 51)
	report.requireCounted(t, "chunks", seeded.Chunks+4+2+3+1+1)
	report.requireCounted(t, "bytes", 50)
	require.Equal(t, "database", report.kind(t, "chunks").In)
	require.Equal(t, testenv.Value[int64](t, i.Database, `SELECT pg_total_relation_size('document_chunk')`), *report.kind(t, "chunks").Bytes)
	require.Equal(t, testenv.Value[int64](t, i.Database, `SELECT pg_total_relation_size('file')`), *report.kind(t, "rows").Bytes+*report.kind(t, "texts").Bytes)
	require.Greater(t, *report.kind(t, "database").Bytes, *report.kind(t, "rows").Bytes)

	user := useOfUser(t, report.Users, testenv.UserID)
	require.Equal(t, "A user", user.Name)
	require.EqualValues(t, 50, *user.Files)
	require.EqualValues(t, seeded.Chunks+3, *user.Chunks)
	require.Equal(t, allocatedIn(t, uploadsOf(t, i, "")...), *user.Bytes)
	gone := useOfUser(t, report.Users, "gone")
	require.True(t, gone.Gone)
	require.EqualValues(t, 4, *gone.Chunks)
	require.EqualValues(t, 1, *gone.Missing)
	require.EqualValues(t, 3, *report.Ownerless)
	shelf := useOfUser(t, report.Knowledge, seeded.Knowledge)
	require.Equal(t, "Handbooks", shelf.Name)
	require.EqualValues(t, len(seeded.InKnowledge), *shelf.Files)
	require.EqualValues(t, len(seeded.InKnowledge), *shelf.Chunks)

	few := ask[usageReport](t, i, "usage", "--by", "user", "--limit", "1")
	require.Empty(t, few.Kinds)
	require.Empty(t, few.Knowledge)
	require.Len(t, few.Users, 1)
	require.Equal(t, 2, few.UserCount)
	require.Equal(t, testenv.UserID, few.Users[0].ID, "the largest first")
	text := i.must(t, "usage", "--by", "user", "--limit", "1")
	require.Regexp(t, testenv.UserID+` +A user +50 files +`, text)
	require.Contains(t, text, "and 1 more: --limit 0 lists all")
	require.NotContains(t, text, "KIND")
	require.NotContains(t, i.must(t, "usage", "--by=kind"), "USER ")
	status, _, _ := i.pruned(t, "", "usage", "--by", "room")
	require.Equal(t, exitUsage, status)
	status, _, _ = i.pruned(t, "", "usage", "--limit=-1")
	require.Equal(t, exitUsage, status)
}

// What cannot be counted says why, and the rest is told.
func TestUsageOfWhatIsAway(t *testing.T) {
	t.Parallel()
	i, world := scratch(t)
	rows := len(holdings(t, world).Rows)
	require.NoError(t, os.RemoveAll(i.uploads()))
	status, out, errs := i.pruned(t, "", "usage", "-o", "json")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, errNotCounted.Error())
	require.Equal(t, 1, strings.Count(out, "\n"))
	var report usageReport
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Len(t, report.NotCounted, 1)
	require.Equal(t, figureBytes, report.NotCounted[0].Figure)
	require.Contains(t, report.NotCounted[0].Why, "does not exist")
	report.requireCounted(t, "rows", rows)
	require.Nil(t, report.kind(t, "bytes").Bytes)
	require.Nil(t, report.Missing, "nobody knows")
	require.Nil(t, report.Users[0].Bytes)
	require.NotNil(t, report.Users[0].Chunks)

	// A server that would be asked about each collection is not, and that is no failure.
	away, _ := scratch(t, "CHROMA_HTTP_HOST=http://127.0.0.1:1")
	report = ask[usageReport](t, away, "usage")
	require.Len(t, report.NotCounted, 1)
	require.Equal(t, figureChunks, report.NotCounted[0].Figure)
	require.Nil(t, report.Users[0].Chunks)
	require.Regexp(t, `chunks +not counted`, away.must(t, "usage"))

	none, _ := scratch(t, "VECTOR_DB=none")
	report = ask[usageReport](t, none, "usage")
	require.Empty(t, report.NotCounted)
	require.NotContains(t, none.must(t, "usage"), "folders")
}

// Without a write-ahead log writers wait for readers: what would take long is not asked.
func TestUsageKeepsNobodyFromWriting(t *testing.T) {
	t.Parallel()
	i, world := scratch(t)
	inFile(t, filesOf(world)[0], `PRAGMA journal_mode = DELETE`)
	report := ask[usageReport](t, i, "usage")
	require.Len(t, report.NotCounted, 1)
	require.Equal(t, figureRows, report.NotCounted[0].Figure)
	require.Nil(t, report.kind(t, "rows").Bytes)
	require.NotNil(t, report.kind(t, "rows").Count)
	require.NotNil(t, report.kind(t, "texts").Bytes)
}
