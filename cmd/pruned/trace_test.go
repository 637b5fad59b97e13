package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/trace"
)

// traced is what trace says in JSON.
type traced struct {
	ID          string        `json:"id"`
	Found       []trace.Place `json:"found"`
	Searched    []trace.Part  `json:"searched"`
	NotSearched []trace.Gap   `json:"not_searched"`
}

// trace looks for an id, and for what no answer may quote.
func (i *installation) trace(t *testing.T, wanted int, id string) (found traced) {
	t.Helper()
	status, out, errs := i.pruned(t, "", "trace", id, "-o", "json")
	require.Equal(t, wanted, status, out+errs)
	require.NoError(t, json.Unmarshal([]byte(out), &found), out)
	require.Equal(t, id, found.ID)
	require.NotNil(t, found.Found)
	_, text, _ := i.pruned(t, "", "trace", id)
	require.NotContains(t, out+errs+text, "hunter2")
	return found
}

// places are the tables, and columns, in which something was found.
func (f traced) places() (list []string) {
	for _, p := range f.Found {
		list = append(list, p.Store+" "+p.Table+"."+p.Column)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func execChroma(t *testing.T, dir, query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "vector_db", "chroma.sqlite3")+"?_pragma=busy_timeout(20000)")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), query, args...)
	require.NoError(t, err)
}

func TestTraceOnSQLite(t *testing.T) {
	t.Parallel()
	i, world := scratch(t)
	id := uuid.NewString()
	require.Empty(t, i.trace(t, exitDone, id).Found)

	execSQLite(t, world.Dir, `INSERT INTO note (id, user_id, title, data, created_at, updated_at) VALUES ('n', ?1, 'hunter2', '{"md":"hunter2 ' || upper(?1) || ' and ' || ?1 || '"}', 1, 1)`, id)
	execSQLite(t, world.Dir, `CREATE TABLE plugin (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID`)
	execSQLite(t, world.Dir, `INSERT INTO plugin VALUES (7, unhex(replace(?1, '-', '')))`, id)
	execChroma(t, world.Dir, `INSERT INTO embedding_metadata (id, key, string_value) VALUES ((SELECT min(id) FROM embeddings), 'author', ?1)`, strings.ReplaceAll(id, "-", ""))
	execChroma(t, world.Dir, `UPDATE collections SET name = 'user-memory-' || ?1 WHERE id = (SELECT min(id) FROM collections)`, id)
	require.NoError(t, os.WriteFile(filepath.Join(i.uploads(), id+"_x.pdf"), []byte("hunter2"), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(i.uploads(), "more", id), 0o700))
	i.publish(t, id)

	found := i.trace(t, exitFailed, id)
	require.Equal(t, []string{
		"chroma.sqlite3 collections.name", "chroma.sqlite3 embedding_metadata.string_value", "queue PRUNED.payload",
		"uploads ..name", "uploads more.name", "webui.db note.data", "webui.db note.user_id", "webui.db plugin.b",
	}, found.places())
	require.Empty(t, found.NotSearched)
	for _, p := range found.Found {
		switch {
		case p.Table == "note" && p.Column == "data":
			require.Equal(t, trace.Place{Store: "webui.db", Table: "note", Row: "n", Column: "data", Count: 2}, p)
		case p.Table == "plugin":
			require.Equal(t, "{7,"+strings.ToUpper(strings.ReplaceAll(id, "-", ""))+"}", p.Row)
		}
	}
	execSQLite(t, world.Dir, `CREATE VIRTUAL TABLE elsewhere USING dbstat`)
	require.Equal(t, "elsewhere", i.trace(t, exitUnsure, uuid.NewString()).NotSearched[0].Name)
}

// A file that was deleted is where README says, and nowhere else.
func TestTraceAfterDeletionOnSQLite(t *testing.T) {
	t.Parallel()
	i, world := scratch(t, "PRUNED_MAX_FRACTION=1")
	before := holdings(t, world)
	i.sweep(t, exitDone)
	i.drain(t)
	after := holdings(t, world)
	checked := 0
	for _, id := range before.Rows {
		if slices.Contains(after.Rows, id) || checked == 3 {
			continue
		}
		checked++
		for _, place := range i.trace(t, exitFailed, id).places() {
			require.Regexp(t, `^(webui.db pruned_ledger\.|queue PRUNED)`, place)
		}
	}
	require.Positive(t, checked)
}

func TestTraceOnPostgreSQL(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	id := uuid.NewString()
	i.must(t, "migrate")
	require.Empty(t, i.trace(t, exitDone, id).Found)

	object := testenv.Value[uint32](t, i.Database, `SELECT lo_create(0)`)
	require.Equal(t, "large objects", i.trace(t, exitUnsure, id).NotSearched[0].Name)
	testenv.Value[int](t, i.Database, fmt.Sprintf(`SELECT lo_unlink(%d)`, object))

	file := testenv.InsertFile(t, i.Pool, testenv.File{ID: id}).ID
	testenv.InsertNote(t, i.Pool, strings.ToUpper(id)+" hunter2 "+id)
	testenv.InsertChunks(t, i.Pool, testenv.Chunks{FileID: file, N: 2, Vectors: small})
	_, err := i.Pool.Exec(t.Context(), `CREATE TABLE pruned.other (a int, b bytea, c uuid, d text[], PRIMARY KEY (a, c))`)
	require.NoError(t, err)
	_, err = i.Pool.Exec(t.Context(), `INSERT INTO pruned.other VALUES (1, decode(replace($1, '-', ''), 'hex'), $1::uuid, ARRAY['x', replace($1, '-', '_')])`, id)
	require.NoError(t, err)
	testenv.WriteBytes(t, i.uploads(), id, "document.pdf")
	i.publish(t, id)

	found := i.trace(t, exitFailed, id)
	require.Subset(t, found.places(), []string{
		"database pruned.other.b", "database pruned.other.c", "database pruned.other.d", "queue PRUNED.payload", "uploads ..name",
		"database " + i.Schema + ".file.id", "database " + i.Schema + ".document_chunk.collection_name", "database " + i.Schema + ".note.data",
	})
	require.Empty(t, found.NotSearched)
	for _, p := range found.Found {
		if p.Table == i.Schema+".note" {
			require.EqualValues(t, 8, p.Count, "four times two")
		}
		if p.Table == "pruned.other" {
			require.Equal(t, "{1,"+id+"}", p.Row)
		}
	}

	_, err = i.Pool.Exec(t.Context(), `DELETE FROM note; DROP TABLE pruned.other`)
	require.NoError(t, err)
	testenv.InsertNote(t, i.Pool, testenv.NewFile(t, i.Pool))
	i.drain(t)
	i.sweep(t, exitDone) // the index forgets it
	for _, place := range i.trace(t, exitFailed, id).places() {
		require.Regexp(t, `^(database pruned\.ledger\.|queue PRUNED)`, place)
	}
}

// What cannot be searched is named, and is no "nowhere".
func TestTraceOfWhatIsAway(t *testing.T) {
	t.Parallel()
	i := install(t)
	away := i.with("VECTOR_DB=chroma", "CHROMA_HTTP_HOST=http://127.0.0.1:1")
	found := away.trace(t, exitUnsure, uuid.NewString())
	require.Len(t, found.NotSearched, 1)
	require.Equal(t, "vectors", found.NotSearched[0].Store)
}

func TestTraceRefusesWhatIsFoundEverywhere(t *testing.T) {
	t.Parallel()
	i := install(t)
	for _, id := range []string{"", "1234567", "äöüäöü", strings.Repeat("x", 1025), "12345678\x00"} {
		status, _, errs := i.pruned(t, "", "trace", id)
		require.Equal(t, exitUsage, status, "%q", id)
		require.NotEmpty(t, errs)
	}
}
