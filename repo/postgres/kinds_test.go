package postgres_test

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// kind is a table that Open WebUI does not have, with one row that mentions a
// file. ID stands for the file's id.
type kind struct {
	make   string
	insert string
	table  string // that is named as the source
	column string
}

// columnKind is a table with a column of some type and the value that mentions
// the file.
func columnKind(table, typ, value string) kind {
	return kind{
		make:   `CREATE TABLE ` + table + ` (id int PRIMARY KEY, n bigint, v ` + typ + `)`,
		insert: `INSERT INTO ` + table + ` VALUES (1, 7, ` + value + `)`,
		table:  table, column: "v",
	}
}

// keyKind is a table with a key of some type.
func keyKind(table, typ, value string) kind {
	return kind{
		make:   `CREATE TABLE ` + table + ` (k ` + typ + ` PRIMARY KEY, v text)`,
		insert: `INSERT INTO ` + table + ` VALUES (` + value + `, 'ID')`,
		table:  table, column: "v",
	}
}

var kinds = []kind{
	columnKind("v_text", "text", `'a ID b'`),
	columnKind("v_varchar", "varchar(80)", `'ID'`),
	columnKind("v_char", "char(80)", `'ID'`),
	columnKind("v_name", "name", `'ID'`),
	columnKind("v_uuid", "uuid", `'ID'`),
	columnKind("v_uuids", "uuid[]", `ARRAY[gen_random_uuid(), 'ID'::uuid]`),
	columnKind("v_texts", "text[]", `ARRAY['x', 'file-ID', NULL]`),
	columnKind("v_matrix", "varchar(80)[][]", `ARRAY[ARRAY['x', 'ID']]`),
	columnKind("v_json", "json", `'{"a": ["ID"]}'`),
	columnKind("v_jsonb", "jsonb", `'{"a": {"ID": 1}}'`),
	columnKind("v_jsons", "jsonb[]", `ARRAY['{"a": "ID"}'::jsonb]`),
	columnKind("v_jsonpath", "jsonpath", `'$.a ? (@ == "ID")'`),
	columnKind("v_bytea", "bytea", `convert_to('{"id": "ID"}', 'UTF8') || '\x00ff'`),
	columnKind("v_bytea_bare", "bytea", `convert_to(E'\n' || replace('ID', '-', ''), 'UTF8')`),
	columnKind("v_range", "textrange", `textrange('ID', NULL)`),
	columnKind("v_domain", "shout", `'ID'`),
	columnKind("v_domains", "shouts", `ARRAY['ID']::shouts`),
	columnKind("v_nested", "loud", `'ID'`),
	columnKind("v_composite", "place", `ROW(7, 'ID')`),
	columnKind("v_composites", "place[]", `ARRAY[ROW(7, 'ID')::place]`),
	columnKind("v_hstore", "hstore", `'file => ID'`),
	columnKind("v_citext", "citext", `upper('ID')`),
	columnKind("v_ltree", "ltree", `replace('a.ID.b', '-', '_')::ltree`),
	columnKind("v_long", "text", `repeat('compressible ', 100000) || 'ID'`),
	{
		`CREATE TYPE choice AS ENUM ('none', 'ID'); CREATE TABLE v_enum (id int PRIMARY KEY, v choice)`,
		`INSERT INTO v_enum VALUES (1, 'ID')`, "v_enum", "v",
	},
	{
		`CREATE TABLE v_incompressible (id int PRIMARY KEY, v text); ALTER TABLE v_incompressible ALTER v SET STORAGE external`,
		`INSERT INTO v_incompressible VALUES (1, repeat('x', 100000) || 'ID')`, "v_incompressible", "v",
	},
	{
		`CREATE TABLE v_stored (id int PRIMARY KEY, a text, v text GENERATED ALWAYS AS (left(a, 8) || substr(a, 10)) STORED)`,
		`INSERT INTO v_stored VALUES (1, left('ID', 8) || '+' || substr('ID', 9))`, "v_stored", "v",
	},

	keyKind("k_uuid", "uuid", `gen_random_uuid()`),
	keyKind("k_numeric", "numeric", `1.50`),
	keyKind("k_time", "timestamptz", `'2024-06-01 12:34:56.789+05:30'`),
	keyKind("k_interval", "interval", `'1 year 2 days'`),
	keyKind("k_double", "double precision", `0.1::float8 + 0.2::float8`),
	keyKind("k_real", "real", `1.1::real / 3`),
	keyKind("k_boolean", "boolean", `true`),
	keyKind("k_char", "char(10)", `'ab'`),
	keyKind("k_bytea", "bytea", `'\x00ff41'`),
	keyKind("k_domain", "shout", `'A''B'`),
	keyKind("k_text", "text", `E'quote '' double " brace {},\\ \n ü'`),
	keyKind("k_array", "text[]", `ARRAY['a,b', '{"']`),
	{
		`CREATE TABLE k_two (a int, b text, v text, PRIMARY KEY (b, a))`,
		`INSERT INTO k_two VALUES (1, E'a,"b{}\\ ü', 'ID'), (2, '', NULL), (3, 'NULL', NULL)`, "k_two", "v",
	},
	{
		`CREATE TABLE k_itself (v text PRIMARY KEY)`,
		`INSERT INTO k_itself VALUES ('file-ID')`, "k_itself", "v",
	},
	{
		`CREATE TABLE k_none (a int, v text)`,
		`INSERT INTO k_none VALUES (1, 'ID')`, "k_none", "v",
	},
	{
		`CREATE TABLE k_unique (a int UNIQUE, v text)`,
		`INSERT INTO k_unique VALUES (NULL, 'ID')`, "k_unique", "v",
	},
	{
		`CREATE TABLE "Odd ""name"" ; --" ("a ""key""" int PRIMARY KEY, "Ü %s $1 column" text)`,
		`INSERT INTO "Odd ""name"" ; --" VALUES (1, 'ID')`, `Odd "name" ; --`, "Ü %s $1 column",
	},
	{
		`CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY, v text)`,
		`INSERT INTO unlogged VALUES (1, 'ID')`, "unlogged", "v",
	},
	{
		`CREATE TABLE split (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
		 CREATE TABLE split_low PARTITION OF split FOR VALUES FROM (0) TO (10);
		 CREATE TABLE elsewhere.split_high PARTITION OF split FOR VALUES FROM (10) TO (20) PARTITION BY LIST (id);
		 CREATE TABLE elsewhere.split_ten PARTITION OF elsewhere.split_high FOR VALUES IN (10)`,
		`INSERT INTO split VALUES (10, 'ID')`, "elsewhere.split_ten", "v",
	},
	{
		`CREATE TABLE keyless_split (id int, v text) PARTITION BY HASH (id);
		 CREATE TABLE elsewhere.keyless_leaf PARTITION OF keyless_split FOR VALUES WITH (modulus 1, remainder 0)`,
		`INSERT INTO keyless_split VALUES (10, 'ID')`, "elsewhere.keyless_leaf", "v",
	},
	{
		`CREATE TABLE ancestor (id int PRIMARY KEY, v text);
		 CREATE TABLE elsewhere.heir (extra text) INHERITS (ancestor);
		 CREATE TABLE elsewhere.grandchild (PRIMARY KEY (id)) INHERITS (elsewhere.heir)`,
		`INSERT INTO elsewhere.heir VALUES (1, NULL, 'ID')`, "elsewhere.heir", "extra",
	},
	{
		`SELECT 1`,
		`INSERT INTO elsewhere.grandchild VALUES (2, 'ID')`, "elsewhere.grandchild", "v",
	},
}

// What Open WebUI made before 0.9 has no primary key, but an index that no two rows share
// (openwebui 0.8.12: internal/migrations): by that the index names its rows, as long as it is
// there and no row can be without.
func TestUniqueIndexNamesRows(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	d.Exec(t, `ALTER TABLE note DROP CONSTRAINT note_pkey CASCADE; CREATE UNIQUE INDEX note_id ON note (id)`)
	ids := newFiles(t, d, 4)
	named := func() bool {
		return testenv.Value[bool](t, d, `SELECT EXISTS (SELECT FROM pruned.reference r JOIN pruned.relation s ON s.id = r.source
WHERE s.relid = 'note'::regclass AND r.file_id = $1)`, ids[0])
	}
	refresh(t, db)
	insertMention(t, d, ids[0])
	for _, step := range []struct {
		change string
		named  bool
	}{
		{`ALTER TABLE note ALTER id SET NOT NULL`, true},
		{`ALTER TABLE note ALTER id DROP NOT NULL`, false},
		{`ALTER TABLE note ALTER id SET NOT NULL`, true},
		{`DROP INDEX note_id`, false},
		{`CREATE UNIQUE INDEX note_id ON note (id) WHERE title <> ''`, false},
		{`DROP INDEX note_id; CREATE UNIQUE INDEX note_id ON note (lower(id))`, false},
		{`ALTER TABLE note ADD UNIQUE (id) DEFERRABLE`, false},
		{`CREATE UNIQUE INDEX note_id_title ON note (id) INCLUDE (title)`, true},
	} {
		d.Exec(t, step.change)
		readAll(t, d, db)
		requireKept(t, db, ids[0])
		requireFree(t, db, ids[2:]...)
		require.Equal(t, step.named, named(), step.change)
	}
	d.Exec(t, `UPDATE note SET title = $1`, ids[1])
	requireKept(t, db, ids[1])
	requireFree(t, db, ids[0])
}

// A foreign table has no row versions: it is read each time, as of the first read
// in a transaction, which is how postgres_fdw reads.
func TestForeignTablesKeep(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	host, port, err := net.SplitHostPort(hostOf(t, d))
	require.NoError(t, err)
	d.Exec(t, `CREATE EXTENSION postgres_fdw; CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.remote (id int, v text)`)
	d.Exec(t, `CREATE SERVER remote FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '`+host+`', port '`+port+`', dbname '`+d.Name+`')`)
	d.Exec(t, `CREATE USER MAPPING FOR CURRENT_USER SERVER remote OPTIONS (user 'postgres')`)
	d.Exec(t, `IMPORT FOREIGN SCHEMA elsewhere FROM SERVER remote INTO public`)
	ids := newFiles(t, d, 3)
	refresh(t, db)
	requireFree(t, db, ids...)
	d.Exec(t, `INSERT INTO elsewhere.remote VALUES (1, $1)`, ids[0])
	for range 2 {
		requireKept(t, db, ids[0])
		requireFree(t, db, ids[1:]...)
		readAll(t, d, db)
	}
	d.Exec(t, `DROP TABLE elsewhere.remote`)
	_, err = tryLook(db, ids...)
	require.NotEqual(t, repo.Permanent, repo.KindOf(err))
	require.Error(t, err)
}

const kindTypes = `
CREATE SCHEMA elsewhere;
CREATE EXTENSION hstore;
CREATE EXTENSION citext;
CREATE EXTENSION ltree;
CREATE DOMAIN shout AS text CHECK (VALUE <> '');
CREATE DOMAIN shouts AS text[];
CREATE DOMAIN loud AS shout;
CREATE TYPE place AS (n int, url text);
CREATE TYPE textrange AS RANGE (subtype = text)`

// A plugin, or somebody by hand, adds tables of every sort; what they mention
// is in use, whether the row changed since the last pass or long before.
func TestEveryTableKeeps(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	d.Exec(t, kindTypes)
	ids := newFiles(t, d, len(kinds))
	for i, k := range kinds {
		d.Exec(t, strings.ReplaceAll(k.make, "ID", ids[i]))
	}
	refresh(t, db)
	requireFree(t, db, ids...)
	for i, k := range kinds {
		d.Exec(t, strings.ReplaceAll(k.insert, "ID", ids[i]))
	}
	requireKinds(t, db, ids)
	readAll(t, d, db)
	requireKinds(t, db, ids)
}

// Sixteen bytes may be a UUID whose text is shorter than any other way to write one.
func TestBytesThatAreLettersKeep(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	const id = "61626364-6566-4768-a96a-6b6c6d6e6f70"
	testenv.InsertFile(t, d.Pool, testenv.File{ID: id})
	d.Exec(t, `CREATE TABLE extra (id int PRIMARY KEY, v bytea)`)
	refresh(t, db)
	requireFree(t, db, id)
	d.Exec(t, `INSERT INTO extra VALUES (1, uuid_send('`+id+`'))`)
	readAll(t, d, db)
	requireKept(t, db, id)
}

func requireKinds(t testing.TB, db *postgres.DB, ids []string) {
	t.Helper()
	found := look(t, db, ids...)
	require.Empty(t, found.Unknown)
	for i, k := range kinds {
		require.Contains(t, found.Referenced, ids[i], k.insert)
		reference := found.Referenced[ids[i]]
		require.Equal(t, k.table, reference.Table, k.insert)
		if reference.Column != "" {
			require.Equal(t, k.column, reference.Column, k.insert)
		}
	}
}

// readAll refreshes until every change so far has been read: a transaction of
// another test may hold a mark back.
func readAll(t testing.TB, d *testenv.Database, db *postgres.DB) {
	t.Helper()
	last := testenv.Value[string](t, d, `SELECT pg_current_xact_id()::text`)
	refresh(t, db)
	require.Eventually(t, func() bool {
		pass(t, db)
		return testenv.Value[bool](t, d, `SELECT bool_and(w > $1::text::xid8) FROM pruned.relation`, last)
	}, testTimeout, tick)
}

// What has no rows of its own, or is no row of the application's, keeps nothing.
func TestWhatIsNoRowKeepsNothing(t *testing.T) {
	t.Parallel()
	testenv.NeedsNewest(t, "pgvector")
	d, db := newDB(t, testenv.Vectors(testenv.VectorOptions{Dim: 3}))
	ids := newFiles(t, d, 6)
	testenv.InsertChunks(t, d.Pool, testenv.Chunks{FileID: ids[0], N: 2, Vectors: testenv.VectorOptions{Dim: 3}})
	d.Exec(t, `CREATE MATERIALIZED VIEW repeated AS SELECT id, path FROM file`)
	d.Exec(t, `CREATE VIEW seen AS SELECT id, path FROM file`)
	conn := d.Conn(t)
	exec(t, conn, `CREATE TEMP TABLE passing AS SELECT id FROM file`)
	// Ours: all that pruned itself writes.
	refresh(t, db)
	d.Exec(t, `INSERT INTO pruned.ledger (file_id, outcome) VALUES ($1, 'deleted')`, ids[1])
	d.Exec(t, `INSERT INTO pruned.tombstone (identity, kind, file_id, due_at) VALUES ('x', 'bytes', $1, now())`, ids[1])
	refresh(t, db)
	requireFree(t, db, ids...)
	readAll(t, d, db)
	requireFree(t, db, ids...)
}
