package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// everyStep does what sweeps and batches do with rows of table file, and returns the
// candidates among rows.
func everyStep(t *testing.T, db *postgres.DB, ids ...string) map[string]repo.Candidate {
	t.Helper()
	ages := repo.Ages{Min: time.Hour, Pending: 100 * 365 * 24 * time.Hour}
	sweep(t, db, ids...)
	inTx(t, db, func(tx repo.Tx) {
		_, err := db.CountCandidates(t.Context(), tx, repo.FromRows, ages, 0)
		require.NoError(t, err)
		_, err = db.Lock(t.Context(), tx, ids, ages)
		require.NoError(t, err)
		_, err = db.FindReferences(t.Context(), tx, ids)
		require.NoError(t, err)
	})
	_, _, err := db.NextCandidate(t.Context(), ages)
	require.NoError(t, err)
	for _, id := range ids {
		_, _, err := db.DescribeFile(t.Context(), id)
		require.NoError(t, err)
	}
	return candidates(t, db, repo.FromRows, ages)
}

// What a row of table file says stops nothing: of three files one is odd, one is in
// use, one is not.
func TestOneBadRowOfTableFileStopsNothing(t *testing.T) {
	t.Parallel()
	const texts = `ALTER TABLE file ALTER meta TYPE text, ALTER data TYPE text;`
	const doubles = `ALTER TABLE file ALTER created_at TYPE float8, ALTER updated_at TYPE float8;`
	const noKey = `ALTER TABLE file DROP CONSTRAINT file_pkey CASCADE, ALTER id DROP NOT NULL;`
	for name, odd := range map[string]string{
		"an escaped NUL in meta":          `UPDATE file SET meta = '{"size": 7, "name": "a\u0000b"}' WHERE id = 'ODD'`,
		"an escaped NUL in data":          `UPDATE file SET data = '{"content": "a\u0000b"}' WHERE id = 'ODD'`,
		"half of a surrogate pair":        `UPDATE file SET meta = '{"name": "\ud83d"}', data = '{"content": "\udc00"}' WHERE id = 'ODD'`,
		"no JSON":                         texts + `UPDATE file SET meta = '{"size": ', data = 'nonsense' WHERE id = 'ODD'`,
		"no object":                       `UPDATE file SET meta = '[1]', data = '"status"' WHERE id = 'ODD'`,
		"a size beyond numbers":           `UPDATE file SET meta = '{"size": 99999999999999999999999}' WHERE id = 'ODD'`,
		"times beyond all":                `UPDATE file SET created_at = 9223372036854775807, updated_at = -9223372036854775808 WHERE id = 'ODD'`,
		"times that are no numbers":       doubles + `UPDATE file SET created_at = 'NaN', updated_at = 'NaN' WHERE id = 'ODD'`,
		"times without end":               doubles + `UPDATE file SET created_at = '-Infinity', updated_at = 'Infinity' WHERE id = 'ODD'`,
		"no times":                        `UPDATE file SET created_at = NULL, updated_at = NULL WHERE id = 'ODD'`,
		"no id":                           noKey + `UPDATE file SET id = NULL WHERE id = 'ODD'`,
		"an id twice":                     noKey + `INSERT INTO file SELECT * FROM file WHERE id = 'ODD'`,
		"an id that no index entry holds": `UPDATE file SET id = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 80) i) WHERE id = 'ODD'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, db := newDB(t)
			ids := newFiles(t, d, 3)
			insertMention(t, d, ids[1])
			dropStatusIndex(t, d)
			for _, sql := range strings.Split(strings.ReplaceAll(odd, "ODD", ids[0]), ";") {
				d.Exec(t, sql)
			}
			found := everyStep(t, db, ids...)
			require.Contains(t, found, ids[2])
			require.NotContains(t, found, ids[1])
			_, err := deletion(db, ids[2:], nothing)
			require.NoError(t, err)
		})
	}
}

// dropStatusIndex takes away the application's own index on the status in data, which
// early revisions lack: it refuses an escaped NUL itself.
func dropStatusIndex(t testing.TB, d *testenv.Database) {
	t.Helper()
	for _, name := range testenv.Column[string](t, d, `SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'file'::regclass AND indexprs IS NOT NULL`) {
		d.Exec(t, `DROP INDEX `+name)
	}
}

// Whether a file is in flight is told by its text alone.
func TestOneBadRowIsInFlightAllTheSame(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	dropStatusIndex(t, d)
	data := []string{
		`{"content": "\u0000", "status": "pending"}`, `{"status" : "processing"}`, `{"status": "completed", "content": "\u0000"}`,
		`{"content": "\"status\": \"pending\"", "status": "failed"}`, `{}`,
	}
	var ids []string
	for _, text := range data {
		id := testenv.InsertFile(t, d.Pool, testenv.File{UpdatedAt: time.Now()}).ID
		d.Exec(t, `UPDATE file SET data = $1 WHERE id = $2`, text, id)
		ids = append(ids, id)
	}
	inTx(t, db, func(tx repo.Tx) {
		locked, err := db.Lock(t.Context(), tx, ids, repo.Ages{Pending: time.Hour})
		require.NoError(t, err)
		for _, f := range locked.Files {
			require.Equal(t, f.ID == ids[0] || f.ID == ids[1], f.InFlight, f.ID)
		}
	})
	for i, want := range []string{"pending", "processing", "completed", "failed", ""} {
		row, exists, err := db.DescribeFile(t.Context(), ids[i])
		require.NoError(t, err)
		require.True(t, exists)
		require.Equal(t, want, row.Status)
	}
	d.Exec(t, `UPDATE file SET meta = '{"name": "\u0000", "size": 4711}'`)
	for _, c := range everyStep(t, db, ids...) {
		require.EqualValues(t, 4711, c.Size)
	}
}

// An id that is too long to be searched for is always kept, and so is told.
func TestOneBadRowWithALongIDIsKept(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	long := strings.Repeat("ab", mention.LongestID)
	testenv.InsertFile(t, d.Pool, testenv.File{ID: long, Path: "x"})
	everyStep(t, db, long)
	require.True(t, look(t, db, long).Unknown[long])
	require.False(t, mention.Searchable(long))
	require.True(t, mention.Searchable(long[:mention.LongestID]))
}

// A row with a key that no index entry holds is one like any other.
func TestOneBadRowWithALongKeyStopsNoPass(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 3)
	d.Exec(t, `CREATE TABLE long (a text, b text, v text, PRIMARY KEY (a))`)
	const key = `(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 83) i) || `
	d.Exec(t, `INSERT INTO long SELECT `+key+`n, 'b', $1 FROM unnest(ARRAY['0123456789', '0123456780']) n`, ids[0])
	for _, read := range []func(testing.TB, *postgres.DB){refresh, pass} {
		read(t, db)
		requireKept(t, db, ids[0])
		requireFree(t, db, ids[1:]...)
	}
	readAll(t, d, db)
	require.Equal(t, 2, testenv.Value[int](t, d, `SELECT count(*) FROM pruned.reference`))
	d.Exec(t, `UPDATE long SET v = $1 WHERE a LIKE '%9'`, ids[1])
	readAll(t, d, db)
	requireKept(t, db, ids[:2]...)
	d.Exec(t, `DELETE FROM long WHERE a LIKE '%0'`)
	requireFree(t, db, ids[0], ids[2])
	requireKept(t, db, ids[1])
}

// A publication of all tables refuses to change a table without an identity for
// replicas.
func TestPublicationOfAllTablesStopsNothing(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	d.Exec(t, `CREATE PUBLICATION everything FOR ALL TABLES`)
	db := open(t, d)
	ids := newFiles(t, d, 2)
	insertMention(t, d, ids[0])
	sweep(t, db)
	d.Exec(t, `UPDATE note SET title = $1`, ids[1])
	sweep(t, db)
	_, err := deletion(db, ids[:1], nothing)
	require.NoError(t, err)
	d.Exec(t, `UPDATE pruned.state SET identity = ''`)
	sweep(t, db)
	require.Empty(t, testenv.Column[string](t, d, `SELECT c.relname::text FROM pg_class c WHERE relnamespace = 'pruned'::regnamespace AND relkind = 'r'
		AND relreplident <> 'f' AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')`))
}

// Bytes that are no letters take four times their length as text, and a text has a
// gigabyte at most.
func TestOneBadRowOfManyBytesIsRead(t *testing.T) {
	t.Parallel()
	d := testenv.NewServer(t, testenv.ServerOptions{}).New(t) // what takes long holds every mark back
	db := open(t, d)
	ids := newFiles(t, d, 4)
	d.Exec(t, `CREATE TABLE heavy (id int PRIMARY KEY, v bytea, w bytea, x text); ALTER TABLE heavy ALTER v SET STORAGE EXTERNAL; CREATE TABLE keyless (v bytea)`)
	// At the end, and across the end of the first piece.
	fill := fmt.Sprintf(`convert_to(repeat(E'\x01', %d) || '%s' || repeat(E'\x01', 255000000) || '%s', 'UTF8')`, 16<<20-18, ids[1], ids[0])
	d.Exec(t, `INSERT INTO heavy VALUES (1, `+fill+`, NULL, $1), (2, NULL, '', NULL)`, ids[2])
	for range 2 {
		refresh(t, db)
		requireKept(t, db, ids[:3]...)
		requireFree(t, db, ids[3])
		readAll(t, d, db)
	}
	d.Exec(t, `UPDATE heavy SET v = NULL`)
	d.Exec(t, `INSERT INTO keyless VALUES (convert_to('`+ids[0]+`', 'UTF8'))`)
	requireKept(t, db, ids[0], ids[2])
	requireFree(t, db, ids[1], ids[3])
	require.Len(t, everyStep(t, db, ids...), 2)
}

// A virtual column over JSON that it cannot compute says nothing in that row.
func TestOneBadRowOfAVirtualColumnStopsNothing(t *testing.T) {
	t.Parallel()
	testenv.NeedsNewest(t, "virtual columns")
	d, db := newDB(t)
	ids := newFiles(t, d, 4)
	d.Exec(t, `CREATE TABLE computed (id int PRIMARY KEY, v json, "in v" text GENERATED ALWAYS AS (left(v ->> 'file', 8) || substr(v ->> 'file', 10)) VIRTUAL)`)
	insert := func(id int, text string) { d.Exec(t, `INSERT INTO computed (id, v) VALUES ($1, $2)`, id, text) }
	refresh(t, db)
	insert(1, `{"note": "\u0000", "file": "`+ids[0]+`"}`)
	insert(2, `{"file": "`+ids[1][:8]+"+"+ids[1][8:]+`"}`)
	for range 2 {
		requireKept(t, db, ids[:2]...)
		requireFree(t, db, ids[2:]...)
		readAll(t, d, db)
	}
	require.Len(t, everyStep(t, db, ids...), 2)
}
