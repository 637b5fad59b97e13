package postgres_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/postgres/refindex"
	"pruned/repo/testenv"
)

// requireIncomplete says that a look answers with an error until a refresh
// has read what it does not know.
func requireIncomplete(t testing.TB, db *postgres.DB, ids ...string) {
	t.Helper()
	_, err := tryLook(db, ids...)
	require.ErrorIs(t, err, refindex.ErrIncomplete)
	require.Equal(t, repo.Environment, repo.KindOf(err))
}

// What changes which rows there are, or what they say, without a new version of
// any row: each makes a table that must be read whole, and until then nothing
// may be deleted.
func TestChangedTablesAreReadAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before string
		change string // ID stands for the file's id
	}{
		"a new table": {``, `CREATE TABLE extra AS SELECT 1 AS id, 'ID'::text AS v; ALTER TABLE extra ADD PRIMARY KEY (id)`},
		"a column added with a default": {
			`CREATE TABLE extra (id int PRIMARY KEY); INSERT INTO extra VALUES (1)`,
			`ALTER TABLE extra ADD v text DEFAULT 'ID'`,
		},
		"a column dropped and added with a default": {
			`CREATE TABLE extra (id int PRIMARY KEY, v text DEFAULT 'x'); INSERT INTO extra VALUES (1)`,
			`ALTER TABLE extra DROP v, ADD v text DEFAULT 'ID'`,
		},
		"a virtual column": {
			`CREATE TABLE extra (id int PRIMARY KEY, a text); INSERT INTO extra VALUES (1, 'x')`,
			`ALTER TABLE extra ADD v text GENERATED ALWAYS AS (a || 'ID') VIRTUAL`,
		},
		"a table swapped by rename": {
			`CREATE TABLE extra (id int PRIMARY KEY, v text); CREATE SCHEMA elsewhere;
			 CREATE TABLE elsewhere.extra (id int CONSTRAINT other_pkey PRIMARY KEY, v text); INSERT INTO elsewhere.extra VALUES (1, 'ID')`,
			`ALTER TABLE extra RENAME TO old; ALTER TABLE elsewhere.extra SET SCHEMA public`,
		},
		"a foreign key from elsewhere": {
			`CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.part (id int PRIMARY KEY, v text); INSERT INTO elsewhere.part VALUES (1, 'ID')`,
			`ALTER TABLE elsewhere.part ADD FOREIGN KEY (v) REFERENCES file ON DELETE CASCADE`,
		},
		"a primary key for a table without one": {
			`CREATE TABLE extra (id int NOT NULL, v text); INSERT INTO extra VALUES (1, 'ID')`,
			`ALTER TABLE extra ADD PRIMARY KEY (id)`,
		},
		"another primary key": {
			`CREATE TABLE extra (id int PRIMARY KEY, v text NOT NULL); INSERT INTO extra VALUES (1, 'ID')`,
			`ALTER TABLE extra DROP CONSTRAINT extra_pkey, ADD PRIMARY KEY (v)`,
		},
		"a type that turns into text": {
			`CREATE TABLE extra (id int PRIMARY KEY, v bytea); INSERT INTO extra VALUES (1, convert_to('ID', 'UTF8'))`,
			`ALTER TABLE extra ALTER v TYPE text USING convert_from(v, 'UTF8')`,
		},
		"a label renamed": {
			`CREATE TYPE choice AS ENUM ('none'); CREATE TABLE extra (id int PRIMARY KEY, v choice); INSERT INTO extra VALUES (1, 'none')`,
			`ALTER TYPE choice RENAME VALUE 'none' TO 'ID'`,
		},
		"a label renamed deep inside": {
			`CREATE TYPE choice AS ENUM ('none'); CREATE DOMAIN pick AS choice; CREATE TYPE pair AS (n int, picks pick[]);
			 CREATE TYPE span AS RANGE (subtype = pair); CREATE TABLE extra (id int PRIMARY KEY, v span[]);
			 INSERT INTO extra VALUES (1, ARRAY[span((1, '{none}')::pair, NULL)])`,
			`ALTER TYPE choice RENAME VALUE 'none' TO 'ID'`,
		},
		"another expression of a virtual column": {
			`CREATE TABLE extra (id int PRIMARY KEY, a text, v text GENERATED ALWAYS AS (a || 'x') VIRTUAL); INSERT INTO extra VALUES (1, 'x')`,
			`ALTER TABLE extra ALTER v SET EXPRESSION AS (a || 'ID')`,
		},
		"a schema renamed": {
			`CREATE SCHEMA elsewhere; CREATE TABLE extra (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
			 CREATE TABLE elsewhere.part PARTITION OF extra DEFAULT; INSERT INTO extra VALUES (1, 'ID')`,
			`ALTER SCHEMA elsewhere RENAME TO other`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(c.before+c.change, "VIRTUAL") {
				testenv.NeedsNewest(t, "virtual columns")
			}
			d, db := newDB(t)
			ids := newFiles(t, d, 2)
			d.Exec(t, withID(c.before, ids[0]))
			refresh(t, db)
			readAll(t, d, db)
			look(t, db, ids...)
			d.Exec(t, withID(c.change, ids[0]))
			// The first look of a session that knew the tables as they were, and
			// one that never did.
			_, err := tryLook(db, ids...)
			require.Error(t, err)
			requireIncomplete(t, db, ids...)
			requireIncomplete(t, open(t, d), ids...)
			refresh(t, db)
			requireKept(t, db, ids[0])
			requireFree(t, db, ids[1])
			readAll(t, d, db)
			requireKept(t, db, ids[0])
			requireFree(t, db, ids[1])
		})
	}
}

// What changes nothing that the index knows costs nothing.
func TestUnchangedTablesAreNotReadAgain(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 2)
	insertMention(t, d, ids[0])
	refresh(t, db)
	look(t, db, ids...)
	for _, change := range []string{
		`ALTER TABLE note ALTER title SET DEFAULT 'x'`,
		`CREATE INDEX ON note (title)`,
		`ALTER TABLE note ALTER title SET NOT NULL`,
		`ALTER TABLE note ADD CHECK (title <> '')`,
		`ALTER TABLE note ALTER title TYPE text`,
		`VACUUM FULL note`,
		`CLUSTER note USING note_pkey`,
		`VACUUM (FREEZE) note`,
		`ANALYZE note`,
		`REINDEX TABLE note`,
		`TRUNCATE memory`,
	} {
		d.Exec(t, change)
		requireKept(t, db, ids[0])
		requireFree(t, db, ids[1])
		pass(t, db)
		require.Zero(t, testenv.Value[int](t, d, `SELECT count(*) FROM pruned.relation WHERE generation = 0`), change)
	}
	refresh(t, db)
	requireKept(t, db, ids[0])
	requireFree(t, db, ids[1])
}

// A table that a migration of the application's drops takes its mentions along,
// and stops no look but the one that met it.
func TestDroppedTablesAreForgotten(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 1)
	d.Exec(t, `CREATE TABLE extra (id int PRIMARY KEY, v text); CREATE TABLE other (id int PRIMARY KEY, v text)`)
	d.Exec(t, `INSERT INTO extra VALUES (1, $1)`, ids[0])
	refresh(t, db)
	requireKept(t, db, ids[0])
	for _, drop := range []string{`DROP TABLE extra`, `ALTER TABLE other DROP v`} {
		d.Exec(t, drop)
		_, err := tryLook(db, ids...)
		require.Equal(t, repo.Passing, repo.KindOf(err))
		refresh(t, db)
		requireFree(t, db, ids...)
		require.Zero(t, testenv.Value[int](t, d, `SELECT count(*) FROM pruned.reference WHERE source NOT IN (SELECT id FROM pruned.relation)`))
	}
}

// A link table, and what it links to, may be partitioned: each partition's rows live
// by the same parent, and go with their file.
func TestDeclaredKeysOfPartitions(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	d.Exec(t, `
ALTER TABLE chat_file DROP CONSTRAINT chat_file_chat_id_fkey; ALTER TABLE chat_message DROP CONSTRAINT chat_message_chat_id_fkey;
ALTER TABLE shared_chat DROP CONSTRAINT shared_chat_chat_id_fkey; ALTER TABLE chat RENAME TO chat_old;
CREATE TABLE chat (LIKE chat_old INCLUDING DEFAULTS, PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE chat_0 PARTITION OF chat FOR VALUES WITH (modulus 2, remainder 0);
CREATE TABLE chat_1 PARTITION OF chat FOR VALUES WITH (modulus 2, remainder 1);
ALTER TABLE chat_file RENAME TO chat_file_old;
CREATE TABLE chat_file (LIKE chat_file_old INCLUDING DEFAULTS, PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE chat_file_0 PARTITION OF chat_file FOR VALUES WITH (modulus 2, remainder 0);
CREATE TABLE chat_file_1 PARTITION OF chat_file FOR VALUES WITH (modulus 2, remainder 1);
ALTER TABLE chat_file ADD FOREIGN KEY (chat_id) REFERENCES chat ON DELETE CASCADE, ADD FOREIGN KEY (file_id) REFERENCES file ON DELETE CASCADE`)
	ids := newFiles(t, d, 16)
	chat := testenv.InsertChat(t, d.Pool, testenv.Chat{}).ID
	for i, id := range ids {
		unchecked(t, d, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES (gen_random_uuid(), 'u', $1, $2, 1, 1)`,
			[]string{chat, "gone"}[i%2], id)
	}
	even, odd := everyOther(ids, 0), everyOther(ids, 1)
	refresh(t, db)
	for range 2 {
		requireKept(t, db, even...)
		requireFree(t, db, odd...)
		readAll(t, d, db)
	}
	d.Exec(t, `ALTER TABLE chat_file_0 DISABLE TRIGGER ALL`)
	requireKept(t, db, ids...)
	d.Exec(t, `ALTER TABLE chat_file_0 ENABLE TRIGGER ALL; ALTER TABLE chat_1 DISABLE TRIGGER ALL`)
	requireKept(t, db, ids...)
}

func everyOther(ids []string, first int) (some []string) {
	for i := first; i < len(ids); i += 2 {
		some = append(some, ids[i])
	}
	return some
}
