package chroma_test

import (
	"bytes"
	"context"
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

func (b *beside) sql(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.dir, "chroma.sqlite3")+"?_pragma=busy_timeout(20000)")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func value[T any](t testing.TB, db *sql.DB, query string, args ...any) (v T) {
	t.Helper()
	require.NoError(t, db.QueryRow(query, args...).Scan(&v))
	return v
}

func folders(t testing.TB, dir string) (n int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		if _, err := uuid.Parse(entry.Name()); err == nil {
			n++
		}
	}
	return n
}

const large = 1100 // more than Chroma keeps out of its index, and than a piece

// population is a large file that goes, among what stays.
type population struct {
	*beside
	going, other string
	before       []hit
}

func populate(t *testing.T) *population {
	p := &population{beside: runBeside(t), going: uuid.NewString(), other: uuid.NewString()}
	p.insert(t, vectorstest.MakeChunks(large, vectorstest.Base, p.other)...)
	p.insert(t, vectorstest.MakeChunks(50, vectorstest.Base, p.going)...)
	p.insert(t, vectorstest.MakeChunks(large, vectors.FileCollection(p.going), p.going)...)
	p.insert(t, vectorstest.MakeChunks(30, vectors.FileCollection(p.other), p.other)...)
	p.before = p.query(t, vectors.FileCollection(p.other), 3, 10)
	require.Len(t, p.before, 10)
	return p
}

// sound is what holds in every state: nothing is half there.
func (p *population) sound(t testing.TB) {
	t.Helper()
	require.Equal(t, p.before, p.query(t, vectors.FileCollection(p.other), 3, 10))
	require.Len(t, p.query(t, vectorstest.Base, 3, 100), 100)
	if _, there := p.collections(t)[vectors.FileCollection(p.going)]; there {
		require.Len(t, p.query(t, vectors.FileCollection(p.going), 3, 100), 100)
	}
}

// intact is what SQLite itself says.
func (p *population) intact(t testing.TB) {
	t.Helper()
	require.Equal(t, "ok", value[string](t, p.sql(t), "PRAGMA integrity_check"))
}

// gone is the end: nothing is left of the file, and all else is.
func (p *population) gone(t testing.TB) {
	t.Helper()
	db := p.sql(t)
	require.Len(t, p.collections(t), 2)
	require.Len(t, p.left(t), large+30)
	require.Zero(t, value[int](t, db, "SELECT count(*) FROM embedding_metadata WHERE string_value = ?", p.going))
	for table, n := range map[string]int{
		"embeddings": large + 30, "embedding_fulltext_search": large + 30, "segments": 4, "segment_metadata": 0,
	} {
		require.Equal(t, n, value[int](t, db, "SELECT count(*) FROM "+table), table)
	}
	require.Zero(t, value[int](t, db, `SELECT count(*) FROM max_seq_id WHERE segment_id NOT IN (SELECT id FROM segments)`))
	require.Zero(t, value[int](t, db, `SELECT count(*) FROM embeddings_queue
		WHERE substr(topic, -36) NOT IN (SELECT id FROM collections)`))
	require.Equal(t, 2, folders(t, p.dir))
	p.sound(t)
	p.intact(t)
}

// The application's own Chroma goes on answering and taking what is new while
// a large collection goes, and does so after a restart.
func TestBesideARunningChroma(t *testing.T) {
	t.Parallel()
	p := populate(t)
	store := newEmbedded(t, p.dir)
	ended := make(chan error, 1)
	var removed vectors.Removed
	go func() {
		var err error
		removed, err = store.Remove(t.Context(), nil, []string{p.going})
		ended <- err
	}()
	added := 0
	for done := false; !done; {
		select {
		case err := <-ended:
			require.NoError(t, err)
			done = true
		default:
			p.insert(t, vectorstest.MakeChunks(1, "new", p.other)...)
			added++
			p.query(t, vectorstest.Base, added, 10)
			require.Len(t, p.query(t, "new", added, 1), 1)
		}
	}
	require.Equal(t, vectors.Removed{Chunks: large + 50, Waiting: []string{p.going}}, removed)
	require.Len(t, p.ids(t, p.create(t, "new")), added)
	p.sound(t)
	require.Equal(t, 50, value[int](t, p.sql(t), "SELECT count(*) FROM embeddings_queue WHERE operation = 3"))
	removed, err := store.Remove(t.Context(), nil, []string{p.going})
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Waiting: []string{p.going}}, removed)
	require.Equal(t, 50, value[int](t, p.sql(t), "SELECT count(*) FROM embeddings_queue WHERE operation = 3"), "each is asked for once")

	// The next write to a collection carries out what waits for it.
	p.insert(t, vectorstest.MakeChunks(1, vectorstest.Base, p.other)...)
	removed, err = store.Remove(t.Context(), nil, []string{p.going})
	require.NoError(t, err)
	require.Zero(t, removed)
	p.ask(t, http.MethodDelete, "/"+p.database+"/collections/new", nil, nil)
	p.sound(t)
	p.restart(t)
	p.sound(t)
	p.intact(t)

	// A collection of the same name is another one.
	p.insert(t, vectorstest.MakeChunks(40, vectors.FileCollection(p.going), p.going)...)
	require.Len(t, p.query(t, vectors.FileCollection(p.going), 3, 40), 40)
}

// Wherever a removal ends, Chroma finds a sound store, running or restarted, and
// the next removal goes on: also one that is about another file.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	p := populate(t)
	store := newEmbedded(t, p.dir)
	var total int64
	for wait := 20 * time.Millisecond; ; wait *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		removed, err := store.Remove(ctx, nil, []string{p.going})
		cancel()
		total += removed.Chunks
		p.sound(t)
		if err == nil {
			break
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		p.restart(t)
		p.sound(t)
	}
	p.restart(t)
	removed, err := store.Remove(t.Context(), nil, []string{p.going})
	require.NoError(t, err)
	require.Zero(t, removed)
	p.gone(t)
	require.LessOrEqual(t, total, int64(large+50))
}

// What a crash left of a file is finished with whatever is removed next, and is
// listed until then.
func TestLeftByACrash(t *testing.T) {
	t.Parallel()
	p := populate(t)
	db, name := p.sql(t), vectors.FileCollection(p.going)
	for _, statement := range []string{
		`INSERT INTO segment_metadata (segment_id, key, str_value) SELECT s.id, 'pruned:removing', c.name
		   FROM segments s JOIN collections c ON c.id = s.collection WHERE c.name = ?`,
		`DELETE FROM collections WHERE name = ?`,
	} {
		_, err := db.Exec(statement, name)
		require.NoError(t, err)
	}
	p.sound(t)
	store := newEmbedded(t, p.dir)
	listed := false
	for file, err := range store.Files(t.Context()) {
		require.NoError(t, err)
		listed = listed || file.ID == p.going && file.Chunks == 0
	}
	require.True(t, listed)
	removed, err := store.Remove(t.Context(), nil, []string{"another"})
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: large}, removed)
	_, err = store.Remove(t.Context(), nil, []string{p.going})
	require.NoError(t, err)
	p.restart(t)
	p.gone(t)
}

// The number of a record that is gone must not come again: Chroma would take
// what is new for what it has done already.
func TestNumbersOfRecords(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	going := uuid.NewString()
	b.insert(t, vectorstest.MakeChunks(5, vectorstest.Base, "")...)
	b.insert(t, vectorstest.MakeChunks(3, vectorstest.Base, going)...)
	b.insert(t, vectorstest.MakeChunks(4, vectors.FileCollection(going), going)...)
	b.Stop(t)
	db := b.sql(t)
	base := value[string](t, db, "SELECT id FROM collections WHERE name = '"+vectorstest.Base+"'")
	_, err := db.Exec("UPDATE max_seq_id SET seq_id = 12") // the last number that there is
	require.NoError(t, err)
	_, err = db.Exec("DELETE FROM embeddings_queue WHERE topic LIKE '%' || ?", base)
	require.NoError(t, err)
	store := newEmbedded(t, b.dir)
	removed, err := store.Remove(t.Context(), nil, []string{going})
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 7, Waiting: []string{going}}, removed)
	require.Greater(t, value[int](t, db, "SELECT max(seq_id) FROM embeddings_queue"), 12)
	require.Zero(t, value[int](t, db, "SELECT count(*) FROM embeddings_queue WHERE vector IS NOT NULL"))
	b.Start(t)
	b.server = b.URL()
	b.insert(t, vectorstest.MakeChunks(1, vectorstest.Base, "")...)
	require.Len(t, b.left(t), 6)
	removed, err = store.Remove(t.Context(), nil, []string{going})
	require.NoError(t, err)
	require.Zero(t, removed)
}

func TestRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ alter, want string }{
		"a new column":      {"ALTER TABLE embeddings ADD COLUMN tenant TEXT", "table embeddings has columns"},
		"no table":          {"DROP TABLE max_seq_id", "table max_seq_id has columns ()"},
		"a new migration":   {"INSERT INTO migrations VALUES ('sysdb', 11, '00011-new.sqlite.sql', '', 'x')", "migration sysdb 11 (00011-new.sqlite.sql) is unknown"},
		"another migration": {"UPDATE migrations SET hash = 'x' WHERE dir = 'metadb' AND version = 3", "migration metadb 3"},
		"an older one":      {"DELETE FROM migrations WHERE dir = 'metadb' AND version = 6", "migration metadb 6 is missing"},
		"a trigger":         {"CREATE TRIGGER watch AFTER DELETE ON embeddings BEGIN SELECT 1; END", `trigger "watch"`},
		"another database":  {"UPDATE databases SET name = 'mine'", `no database "default_database"`},
		"another topic":     {"UPDATE embeddings_queue SET topic = replace(topic, 'default', 'other')", "other/other/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := runBeside(t)
			b.insert(t, vectorstest.MakeChunks(2, "file-a", "a")...)
			b.insert(t, vectorstest.MakeChunks(1, vectorstest.Base, "a")...)
			b.Stop(t)
			db := b.sql(t)
			_, err := db.Exec(c.alter)
			require.NoError(t, err)
			store := newEmbedded(t, b.dir)
			_, file := store.Remove(t.Context(), nil, []string{"a"})
			_, whole := store.RemoveCollections(t.Context(), nil, []string{vectorstest.Base}, vectors.AllowAll)
			_, point := store.RemovePoints(t.Context(), nil, vectorstest.Base, []string{"a"}, vectors.AllowAll)
			for _, err := range []error{file, whole, point} {
				require.ErrorIs(t, err, vectors.ErrUnusable)
				require.ErrorContains(t, err, c.want)
			}
			require.Equal(t, 3, value[int](t, db, "SELECT count(*) FROM embeddings"))
			require.Equal(t, 2, value[int](t, db, "SELECT count(*) FROM collections"))
		})
	}
}

// The schema of Chroma before 1.5, which Open WebUI brought before 0.8, has no table for lists
// in metadata: the same goes as from one that has it.
func TestOlderChroma(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	b.insert(t, vectorstest.MakeChunks(5, "file-a", "a")...)
	b.insert(t, vectorstest.MakeChunks(20, "halfway", "")...)
	b.insert(t, vectorstest.MakeChunks(3, "file-b", "b")...)
	b.loseCollection(t, "halfway", false)
	b.Stop(t)
	b.exec(t, "DROP TABLE embedding_metadata_array; DELETE FROM migrations WHERE dir = 'metadb' AND version = 6")
	store := newEmbedded(t, b.dir)
	removed, err := store.Remove(t.Context(), nil, []string{"a"})
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 5}, removed)
	store.SetClock(2 * minAge)
	lost, err := store.RemoveLost(t.Context(), minAge)
	require.NoError(t, err)
	require.Positive(t, lost.Rows)
	require.Equal(t, 3, value[int](t, b.sql(t), "SELECT count(*) FROM embeddings"))
	require.Zero(t, value[int](t, b.sql(t), "SELECT count(*) FROM sqlite_master WHERE name = 'embedding_metadata_array'"))
}

func TestNotMadeYet(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(empty, "chroma.sqlite3"), nil, 0o600))
	for name, dir := range map[string]string{"no folder": filepath.Join(t.TempDir(), "vector_db"), "no file": t.TempDir(), "empty": empty} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newEmbedded(t, dir)
			require.NoError(t, store.Check(t.Context()))
			removed, err := store.Remove(t.Context(), nil, []string{"a"})
			require.NoError(t, err)
			require.Zero(t, removed)
			for file, err := range store.Files(t.Context()) {
				require.NoError(t, err)
				require.Empty(t, file)
			}
			require.Empty(t, listNames(t, store))
			require.Empty(t, countPoints(t, store, vectorstest.Base))
			removed, err = store.RemoveCollections(t.Context(), nil, []string{vectorstest.Base}, vectors.AllowAll)
			require.NoError(t, err)
			require.Zero(t, removed)
			_, err = os.Stat(filepath.Join(dir, "chroma.sqlite3-journal"))
			require.ErrorIs(t, err, os.ErrNotExist)
		})
	}
}

func TestUnusableFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "chroma.sqlite3"), bytes.Repeat([]byte("no database"), 400), 0o600))
	_, err := newEmbedded(t, dir).Remove(t.Context(), nil, []string{"a"})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.ErrorContains(t, err, "not a database")
}

// A lock passes: it is waited for, and then it is nobody's fault.
func TestLocked(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	b.insert(t, vectorstest.MakeChunks(2, "file-a", "a")...)
	conn, err := b.sql(t).Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	_, err = conn.ExecContext(t.Context(), "BEGIN EXCLUSIVE")
	require.NoError(t, err)
	store := newEmbedded(t, b.dir)
	store.SetPatience(10 * time.Millisecond)
	_, err = store.Remove(t.Context(), nil, []string{"a"})
	require.ErrorIs(t, err, vectors.ErrUnusable)
	require.ErrorContains(t, err, "locked by another process")
	_, err = conn.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	removed, err := store.Remove(t.Context(), nil, []string{"a"})
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 2}, removed)
}
