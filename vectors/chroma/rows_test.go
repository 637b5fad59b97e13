package chroma_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/vectors"
	"pruned/vectors/chroma"
	"pruned/vectors/vectorstest"
)

const minAge = time.Hour

// lostQueries count what nothing can reach, table by table, in other words than the store.
var lostQueries = map[string]string{
	"embeddings":          `SELECT count(*) FROM embeddings e WHERE NOT EXISTS (SELECT 1 FROM segments s JOIN collections c ON c.id = s.collection WHERE s.id = e.segment_id)`,
	"metadata":            `SELECT count(DISTINCT id) FROM embedding_metadata WHERE id NOT IN (SELECT id FROM embeddings)`,
	"arrays":              `SELECT count(DISTINCT id) FROM embedding_metadata_array WHERE id NOT IN (SELECT id FROM embeddings)`,
	"full text":           `SELECT count(*) FROM embedding_fulltext_search WHERE rowid NOT IN (SELECT id FROM embeddings)`,
	"numbers":             `SELECT count(*) FROM max_seq_id WHERE segment_id NOT IN (SELECT id FROM segments)`,
	"segment metadata":    `SELECT count(*) FROM segment_metadata WHERE segment_id NOT IN (SELECT id FROM segments)`,
	"collection metadata": `SELECT count(*) FROM collection_metadata WHERE collection_id NOT IN (SELECT id FROM collections)`,
	"segments":            `SELECT count(*) FROM segments WHERE collection NOT IN (SELECT id FROM collections)`,
	"queue":               `SELECT count(*) FROM embeddings_queue WHERE substr(topic, -36) NOT IN (SELECT id FROM collections)`,
}

// requireLost is how much is lost in tables; of all others nothing.
func (b *beside) requireLost(t testing.TB, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for table, query := range lostQueries {
		if n := value[int](t, b.sql(t), query); n > 0 {
			got[table] = n
		}
	}
	require.Equal(t, want, got)
}

func (b *beside) exec(t testing.TB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := b.sql(t).Exec(statement)
		require.NoError(t, err, statement)
	}
}

// loseCollection takes a collection out of the tables that Chroma asks, and leaves the rest.
func (b *beside) loseCollection(t testing.TB, name string, segments bool) {
	t.Helper()
	id := b.collections(t)[name]
	require.NotEmpty(t, id)
	if segments {
		b.exec(t, `DELETE FROM segments WHERE collection = '`+id+`'`)
	}
	b.exec(t, `DELETE FROM collections WHERE id = '`+id+`'`)
}

// scatter leaves what killed deletions leave in single tables: five rows.
func (b *beside) scatter(t testing.TB) {
	t.Helper()
	b.exec(t,
		`INSERT INTO embedding_metadata (id, key, string_value) VALUES (90001, 'a', 'x'), (90001, 'b', 'y')`,
		`INSERT INTO embedding_metadata_array (id, key, string_value) VALUES (90001, 'c', 'x'), (90002, 'c', 'y')`,
		`INSERT INTO embedding_fulltext_search (rowid, string_value) VALUES (90003, 'a text')`,
		`INSERT INTO segment_metadata (segment_id, key, str_value) VALUES ('e1', 'a', 'x')`,
		`INSERT INTO max_seq_id (segment_id, seq_id) VALUES ('e1', 5)`)
}

func (b *beside) count(t testing.TB, store *chroma.Embedded) vectors.Lost {
	t.Helper()
	lost, err := store.CountLost(t.Context(), minAge)
	require.NoError(t, err)
	return lost
}

// later is a store for which everything is old by now.
func (b *beside) later(t testing.TB) *chroma.Embedded {
	store := newEmbedded(t, b.dir)
	store.SetClock(2 * minAge)
	return store
}

// Rows that belong to no collection go, in whatever table, while a Chroma uses the file;
// what is in use stays, answers, and goes on being written, also after a start.
func TestLostRowsGoBesideARunningChroma(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	living := uuid.NewString()
	b.insert(t, vectorstest.MakeChunks(large, vectorstest.Base, living)...)
	b.insert(t, vectorstest.MakeChunks(60, vectors.FileCollection(living), living)...)
	b.insert(t, vectorstest.MakeChunks(large, "lost", "")...)
	b.insert(t, vectorstest.MakeChunks(40, "halfway", "")...)
	b.loseCollection(t, "lost", true)
	b.loseCollection(t, "halfway", false)
	b.scatter(t)
	b.insert(t, vectorstest.MakeChunks(1, "new", living)...)
	before := b.query(t, vectorstest.Base, 3, 50)
	store := b.later(t)
	found := b.count(t, store)
	require.Positive(t, found.Rows)
	require.EqualValues(t, large+61, found.Chunks)

	type ended struct {
		lost vectors.Lost
		err  error
	}
	end := make(chan ended, 1)
	go func() {
		lost, err := store.RemoveLost(t.Context(), minAge)
		end <- ended{lost, err}
	}()
	added := 1
	for done := false; !done; {
		select {
		case e := <-end:
			require.NoError(t, e.err)
			require.Equal(t, found.Rows, e.lost.Rows)
			done = true
		default:
			b.insert(t, vectorstest.MakeChunks(1, "new", living)...)
			added++
			require.Len(t, b.query(t, "new", 0, 1), 1)
			require.Equal(t, before, b.query(t, vectorstest.Base, 3, 50))
		}
	}
	b.requireLost(t, map[string]int{})
	lost := b.count(t, store)
	require.Equal(t, vectors.Lost{Chunks: int64(large + 60 + added)}, lost)
	for range 2 {
		require.Equal(t, before, b.query(t, vectorstest.Base, 3, 50))
		require.Len(t, b.ids(t, b.create(t, vectors.FileCollection(living))), 60)
		require.Len(t, b.query(t, vectors.FileCollection(living), 3, 60), 60)
		require.Len(t, b.ids(t, b.create(t, "new")), added)
		require.Equal(t, "ok", value[string](t, b.sql(t), "PRAGMA integrity_check"))
		b.restart(t)
	}
	b.insert(t, vectorstest.MakeChunks(10, "lost", living)...)
	require.Len(t, b.query(t, "lost", 3, 10), 10)
}

// What the application drops itself leaves nothing but a folder, and in use nothing is lost.
func TestNothingIsLostOfWhatIsInUse(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	b.insert(t, vectorstest.MakeChunks(large, vectorstest.Base, "a")...)
	b.insert(t, vectorstest.MakeChunks(30, "file-b", "b")...)
	b.insert(t, vectorstest.MakeChunks(30, "file-c", "c")...)
	b.create(t, "empty")
	b.ask(t, http.MethodPost, "", map[string]any{"name": "another"}, &struct{}{})
	another := &beside{api{b.server, "another"}, b.Chroma, b.dir}
	another.insert(t, vectorstest.MakeChunks(20, "of-another-database", "d")...)
	b.ask(t, http.MethodDelete, "/"+b.database+"/collections/file-c", nil, nil)
	before := b.dump(t)
	lost, err := b.later(t).RemoveLost(t.Context(), minAge)
	require.NoError(t, err)
	require.Equal(t, vectors.Lost{Chunks: large + 50}, lost)
	require.Equal(t, before, b.dump(t))
	require.Len(t, another.query(t, "of-another-database", 3, 20), 20)
	require.Len(t, b.query(t, "file-b", 3, 30), 30)
}

// dump is every row of the tables that are searched for lost ones.
func (b *beside) dump(t testing.TB) string {
	t.Helper()
	var dump strings.Builder
	for _, table := range []string{"collections", "collection_metadata", "segments", "segment_metadata", "max_seq_id",
		"embeddings", "embedding_metadata", "embedding_metadata_array", "embedding_fulltext_search", "embeddings_queue"} {
		rows, err := b.sql(t).Query("SELECT * FROM " + table + " ORDER BY 1, 2")
		if table == "embedding_fulltext_search" {
			rows, err = b.sql(t).Query("SELECT rowid, * FROM " + table + " ORDER BY 1")
		}
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		for rows.Next() {
			require.NoError(t, rows.Scan(values...))
			for _, v := range values {
				fmt.Fprintf(&dump, "%v ", *v.(*any))
			}
			dump.WriteString("\n")
		}
		require.NoError(t, rows.Err())
	}
	return dump.String()
}

// Rows that have an age wait until they are old. A count, and a removal that finds a schema
// or a topic that it does not know, or no collection, change nothing.
func TestLostRowsThatStay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		alter string
		ahead time.Duration
		want  string // the error
	}{
		"young":                {ahead: minAge / 2},
		"another column":       {alter: "ALTER TABLE embeddings ADD COLUMN tenant TEXT", ahead: 2 * minAge, want: "another schema"},
		"no table":             {alter: "DROP TABLE embedding_metadata_array", ahead: 2 * minAge, want: "another schema"},
		"a topic":              {alter: "UPDATE embeddings_queue SET topic = replace(topic, 'default', 'other')", ahead: 2 * minAge, want: "other/other/"},
		"no collection":        {alter: "DELETE FROM collections", ahead: 2 * minAge},
		"no segment":           {alter: "DELETE FROM segments", ahead: 2 * minAge},
		"taken away by others": {alter: "DELETE FROM collection_metadata WHERE collection_id NOT IN (SELECT id FROM collections); INSERT INTO segment_metadata (segment_id, key) SELECT id, 'pruned:removing' FROM segments WHERE collection NOT IN (SELECT id FROM collections)", ahead: 2 * minAge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := runBeside(t)
			b.insert(t, vectorstest.MakeChunks(5, "file-a", "a")...)
			b.insert(t, vectorstest.MakeChunks(20, "halfway", "")...)
			b.loseCollection(t, "halfway", false)
			b.Stop(t)
			if c.alter != "" {
				b.exec(t, c.alter)
			}
			rows := value[int](t, b.sql(t), "SELECT count(*) FROM embeddings")
			queue := value[int](t, b.sql(t), "SELECT count(*) FROM embeddings_queue")
			store := newEmbedded(t, b.dir)
			store.SetClock(c.ahead)
			for _, act := range []func(context.Context, time.Duration) (vectors.Lost, error){store.CountLost, store.RemoveLost} {
				lost, err := act(t.Context(), minAge)
				if c.want == "" {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, vectors.ErrUnusable)
					require.ErrorContains(t, err, c.want)
				}
				if name != "young" { // of whose entries no age is known
					require.Zero(t, lost.Rows)
				}
			}
			require.Equal(t, rows, value[int](t, b.sql(t), "SELECT count(*) FROM embeddings"))
			require.Equal(t, queue, value[int](t, b.sql(t), "SELECT count(*) FROM embeddings_queue"))
		})
	}
}

// The last record of all keeps its number and nothing else, so that no number comes again.
func TestLastRecordOfALostCollection(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	b.insert(t, vectorstest.MakeChunks(20, "file-a", "a")...)
	b.insert(t, vectorstest.MakeChunks(10, "lost", "")...)
	b.loseCollection(t, "lost", true)
	store := b.later(t)
	found := b.count(t, store).Rows
	lost, err := store.RemoveLost(t.Context(), minAge)
	require.NoError(t, err)
	require.Equal(t, found, lost.Rows)
	b.requireLost(t, map[string]int{"queue": 1})
	require.Equal(t, 30, value[int](t, b.sql(t), "SELECT max(seq_id) FROM embeddings_queue WHERE vector IS NULL AND metadata IS NULL"))
	require.Zero(t, b.count(t, store).Rows)
	b.insert(t, vectorstest.MakeChunks(5, "file-a", "a")...)
	require.Len(t, b.query(t, "file-a", 3, 25), 25)
	lost, err = store.RemoveLost(t.Context(), minAge)
	require.NoError(t, err)
	require.EqualValues(t, 1, lost.Rows)
	b.requireLost(t, map[string]int{})
	b.restart(t)
	require.Len(t, b.query(t, "file-a", 3, 25), 25)
}

// A removal that ends anywhere is gone on with, and no text loses its owner first.
func TestRemovalOfLostRowsIsInterrupted(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	b.insert(t, vectorstest.MakeChunks(large, "lost", "")...)
	b.insert(t, vectorstest.MakeChunks(20, "file-a", "a")...)
	b.loseCollection(t, "lost", true)
	b.scatter(t)
	store := b.later(t)
	found, total := b.count(t, store).Rows, int64(0)
	for wait := 20 * time.Millisecond; ; wait *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		lost, err := store.RemoveLost(ctx, minAge)
		cancel()
		total += lost.Rows
		require.Len(t, b.query(t, "file-a", 3, 20), 20)
		if err == nil {
			break
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	require.LessOrEqual(t, total, found)
	b.requireLost(t, map[string]int{})
	b.restart(t)
	require.Len(t, b.query(t, "file-a", 3, 20), 20)
	require.Equal(t, "ok", value[string](t, b.sql(t), "PRAGMA integrity_check"))
}

// Of what both segments have behind them the queue keeps no text of chunks that are gone;
// it keeps all that one of them has still to read, and all of chunks that are there.
func TestTextsOfChunksThatAreGoneLeaveTheQueue(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	chunks := vectorstest.MakeChunks(large, vectorstest.Base, "a")
	b.insert(t, chunks...)
	young := vectorstest.MakeChunks(50, "file-b", "b") // its vectors are in the queue alone
	b.insert(t, young...)
	base, own := b.create(t, vectorstest.Base), b.create(t, "file-b")
	last := value[string](t, b.sql(t), `SELECT id FROM embeddings_queue WHERE topic LIKE '%' || ?`, base)
	gone := append([]string{last}, idsOf(chunks[:10])...)
	b.ask(t, http.MethodPost, "/"+b.database+"/collections/"+base+"/delete", map[string]any{"ids": gone}, nil)
	b.ask(t, http.MethodPost, "/"+b.database+"/collections/"+own+"/delete", map[string]any{"ids": idsOf(young[:5])}, nil)
	// Where a queue is not to be purged, records stay whose numbers are far behind.
	for n, chunk := range chunks[:20] {
		_, err := b.sql(t).Exec(`INSERT INTO embeddings_queue (seq_id, operation, topic, id, vector, encoding, metadata)
			VALUES (?, 0, 'persistent://default/default/' || ?, ?, x'0000803f0000803f0000803f', 'FLOAT32', '{"chroma:document":"secret words"}')`, n+1, base, chunk.ID)
		require.NoError(t, err)
	}
	holding := `SELECT count(*) FROM embeddings_queue WHERE vector IS NOT NULL AND topic LIKE '%' || ?`
	require.Equal(t, 21, value[int](t, b.sql(t), holding, base))
	before := b.query(t, "file-b", 3, 100)
	require.Len(t, before, 45)

	store := b.later(t)
	require.Equal(t, vectors.Lost{Records: 11, Chunks: large + 50 - 16}, b.count(t, store))
	for _, want := range []int64{11, 0} {
		lost, err := store.RemoveLost(t.Context(), minAge)
		require.NoError(t, err)
		require.Equal(t, want, lost.Records)
		require.Zero(t, lost.Rows)
	}
	require.Equal(t, 10, value[int](t, b.sql(t), holding, base))
	require.Equal(t, 50, value[int](t, b.sql(t), holding, own))
	require.Equal(t, 10, value[int](t, b.sql(t), `SELECT count(*) FROM embeddings_queue WHERE metadata LIKE '%secret%'`))
	for range 2 {
		require.Equal(t, before, b.query(t, "file-b", 3, 100))
		require.Len(t, b.ids(t, base), large-11)
		require.Len(t, b.query(t, vectorstest.Base, 3, 100), 100)
		require.Equal(t, "ok", value[string](t, b.sql(t), "PRAGMA integrity_check"))
		b.restart(t)
	}
	b.insert(t, vectorstest.MakeChunks(large, vectorstest.Base, "a")...)
	require.Len(t, b.ids(t, base), 2*large-11)
	require.Len(t, b.query(t, vectorstest.Base, 3, 100), 100)
}

// Whatever makes it unsure how far a collection has got keeps its records.
func TestUnsureCollectionsKeepTheirRecords(t *testing.T) {
	t.Parallel()
	b := runBeside(t)
	b.insert(t, vectorstest.MakeChunks(large, vectorstest.Base, "a")...)
	base := b.create(t, vectorstest.Base)
	last := value[string](t, b.sql(t), `SELECT id FROM embeddings_queue`)
	b.ask(t, http.MethodPost, "/"+b.database+"/collections/"+base+"/delete", map[string]any{"ids": []string{last}}, nil)
	b.Stop(t)
	store := b.later(t)
	vector := value[string](t, b.sql(t), `SELECT id FROM segments WHERE scope = 'VECTOR'`)
	seq := value[int](t, b.sql(t), `SELECT seq_id FROM max_seq_id WHERE segment_id = ?`, vector)
	index := filepath.Join(b.dir, vector, "index_metadata.pickle")
	named := strings.NewReplacer("{vector}", vector, "{seq}", fmt.Sprint(seq))
	sql := func(statement string) func() { return func() { b.exec(t, named.Replace(statement)) } }
	rename := func(from, to string) func() { return func() { require.NoError(t, os.Rename(from, to)) } }
	for name, c := range map[string]struct{ alter, restore func() }{
		"no number of the vectors": {sql(`DELETE FROM max_seq_id WHERE segment_id = '{vector}'`), sql(`INSERT INTO max_seq_id (segment_id, seq_id) VALUES ('{vector}', {seq})`)},
		"a lower number":           {sql(`UPDATE max_seq_id SET seq_id = 3 WHERE segment_id = '{vector}'`), sql(`UPDATE max_seq_id SET seq_id = {seq} WHERE segment_id = '{vector}'`)},
		"a third segment":          {sql(`INSERT INTO segments SELECT 'x', type, scope, collection FROM segments LIMIT 1`), sql(`DELETE FROM segments WHERE id = 'x'`)},
		"no index on the disk":     {rename(index, index+"~"), rename(index+"~", index)},
	} {
		c.alter()
		lost, err := store.RemoveLost(t.Context(), minAge)
		require.NoError(t, err, name)
		require.Zero(t, lost.Records, name)
		require.Equal(t, 1, value[int](t, b.sql(t), `SELECT count(*) FROM embeddings_queue WHERE vector IS NOT NULL`), name)
		c.restore()
		require.EqualValues(t, 1, b.count(t, store).Records, name)
	}
}
