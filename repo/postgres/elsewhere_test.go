package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// A mention keeps its file in whatever schema it is, also in one called pruned that
// was there before us, and in a table with a name like ours.
func TestElsewhereIsSearched(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	ids := newFiles(t, d, 9)
	d.Exec(t, withID(`
CREATE SCHEMA pruned; CREATE TABLE pruned.plugin (id int PRIMARY KEY, v text); INSERT INTO pruned.plugin VALUES (1, 'ID')`, ids[0]))
	d.Exec(t, withID(`CREATE SCHEMA "Other ""one"; CREATE TABLE "Other ""one"."Table" (id int PRIMARY KEY, v json); INSERT INTO "Other ""one"."Table" VALUES (1, '["ID"]')`, ids[1]))
	d.Exec(t, withID(`CREATE SCHEMA plugin; CREATE TABLE plugin.keyless (v bytea); INSERT INTO plugin.keyless VALUES ('ID')`, ids[2]))
	d.Exec(t, withID(`CREATE TABLE pruned_reference (id int PRIMARY KEY, v text); INSERT INTO pruned_reference VALUES (1, 'ID')`, ids[3]))
	d.Exec(t, withID(`CREATE TABLE plugin.split (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE plugin.part PARTITION OF plugin.split DEFAULT; INSERT INTO plugin.split VALUES (1, 'ID')`, ids[4]))
	d.Exec(t, withID(`CREATE TABLE plugin.file (id text PRIMARY KEY); INSERT INTO plugin.file VALUES ('ID')`, ids[5]))
	db := open(t, d)
	refresh(t, db)
	d.Exec(t, `INSERT INTO plugin.split VALUES (2, $1)`, ids[6])
	d.Exec(t, `INSERT INTO plugin.keyless VALUES (convert_to($1, 'UTF8'))`, ids[7])
	for range 2 {
		requireKept(t, db, ids[:8]...)
		requireFree(t, db, ids[8])
		readAll(t, d, db)
	}
	require.Equal(t, "plugin.file", look(t, db, ids[5]).Referenced[ids[5]].Table)
	require.Contains(t, examined(t, db, "searched").Detail, `"Other ""one", plugin, pruned`)

	ignoring := ignoring(t, d, "plugin.*", "pruned.plugin", `pruned_reference.v`)
	refresh(t, ignoring)
	requireFree(t, ignoring, ids[0], ids[2], ids[3], ids[4], ids[5], ids[6], ids[7])
	requireKept(t, ignoring, ids[1])

	require.NoError(t, db.Uninstall(t.Context()))
	require.NoError(t, db.Uninstall(t.Context()), "again")
	require.Equal(t, []string{"plugin", "plugin_pkey"},
		testenv.Column[string](t, d, `SELECT relname::text FROM pg_class WHERE relnamespace = 'pruned'::regnamespace ORDER BY 1`))
	require.Equal(t, 1, testenv.Value[int](t, d, `SELECT count(*) FROM pruned_reference`))
}

// A table that moves to another schema takes along what it mentions; nothing is
// deleted before that was read.
func TestElsewhereAfterAMove(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 2)
	insertMention(t, d, ids[0])
	refresh(t, db)
	readAll(t, d, db)
	d.Exec(t, `CREATE SCHEMA archive; ALTER TABLE note SET SCHEMA archive`)
	refresh(t, db)
	for range 2 {
		requireKept(t, db, ids[0])
		requireFree(t, db, ids[1])
		readAll(t, d, db)
	}
}

// Another Open WebUI in the same database keeps what it mentions, and not what it
// merely has rows, vectors or leftovers of.
func TestElsewhereAnotherInstallation(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 6)
	d.Exec(t, `CREATE SCHEMA other; CREATE TABLE other.alembic_version (version_num text PRIMARY KEY);
		CREATE TABLE other.auth (); CREATE TABLE other.chat (); CREATE TABLE other."user" ();
		CREATE SCHEMA plugin; CREATE TABLE plugin.alembic_version (version_num text); CREATE TABLE plugin.file (id text PRIMARY KEY);
		CREATE TABLE other.file AS TABLE file; CREATE TABLE other.note AS TABLE note;
		CREATE TABLE other.access_grant (id text PRIMARY KEY, resource_id text); CREATE SCHEMA vectors;
		CREATE TABLE vectors.document_chunk (id text PRIMARY KEY, collection_name text, vmetadata jsonb);
		CREATE TABLE vectors.file (v text)`)
	d.Exec(t, `INSERT INTO other.note (id, title) VALUES ('n', $1)`, ids[0])
	d.Exec(t, `INSERT INTO vectors.file VALUES ($1)`, ids[1])
	d.Exec(t, `INSERT INTO other.access_grant VALUES ('n', $1)`, ids[2])
	d.Exec(t, `INSERT INTO vectors.document_chunk VALUES ('n', 'file-' || $1, jsonb_build_object('file_id', $1::text))`, ids[3])
	d.Exec(t, `INSERT INTO plugin.file VALUES ($1)`, ids[5])
	refresh(t, db)
	for range 2 {
		requireKept(t, db, ids[0], ids[1], ids[5])
		requireFree(t, db, ids[2:5]...)
		readAll(t, d, db)
	}
	require.Contains(t, examined(t, db, "schema").Detail, "another Open WebUI's are in other")
}

// What the role may not read is told. It stops nothing, unless it was read before:
// then it is known to matter.
func TestElsewhereThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	d.Exec(t, `CREATE SCHEMA closed; CREATE TABLE closed.plugin (id int PRIMARY KEY, v text);
		CREATE SCHEMA half; CREATE TABLE half.plugin (id int PRIMARY KEY, v text); CREATE TABLE half.other (id int PRIMARY KEY, v text);
		CREATE SCHEMA later; CREATE TABLE later.plugin (id int PRIMARY KEY, v text); CREATE SCHEMA empty`)
	role, db := openRole(t, d)
	grant := func(sql string) { d.Exec(t, replaced(sql, "ROLE", role)) }
	grant(`GRANT USAGE ON SCHEMA half, later TO ROLE; GRANT SELECT ON half.other, later.plugin TO ROLE`)
	ids := newFiles(t, d, 2)
	for _, table := range []string{"closed.plugin", "half.plugin", "half.other", "later.plugin"} {
		d.Exec(t, `INSERT INTO `+table+` VALUES (1, $1)`, ids[0])
	}
	refresh(t, db)
	requireKept(t, db, ids[0])
	requireFree(t, db, ids[1])
	found := examined(t, db, "searched")
	require.Contains(t, found.Detail, "and of half, later")
	require.Contains(t, found.Detail, "closed.*, half.plugin")
	require.NotContains(t, found.Detail, "empty")
	require.NotEmpty(t, found.Remedy)

	const noUsage, noSelect = `GRANT USAGE ON SCHEMA "later"|denied for schema later`, `GRANT SELECT ON "half"."other"|denied for table other`
	for _, c := range []struct{ revoke, told, otherwise, doctor string }{
		{`REVOKE USAGE ON SCHEMA later FROM ROLE`, noUsage, `GRANT SELECT`, `GRANT USAGE ON SCHEMA "later" TO `},
		{`GRANT USAGE ON SCHEMA later TO ROLE; REVOKE SELECT ON half.other FROM ROLE`, noSelect, `GRANT USAGE`, `GRANT SELECT ON "half"."other" TO `},
	} {
		grant(c.revoke)
		for _, err := range []error{
			db.IndexChanges(t.Context()), db.IndexAll(t.Context(), nil),
			func() error { _, err := tryLook(db, ids...); return err }(),
		} {
			require.Equal(t, repo.Environment, repo.KindOf(err))
			require.Regexp(t, c.told, err.Error())
			require.NotRegexp(t, c.otherwise, err.Error(), "another privilege than the one that is missing")
		}
		require.Contains(t, examined(t, db, "privileges").Remedy, c.doctor)
	}
	without := openWith(t, postgres.Options{URL: roleURL(t, d, role), Ignore: []string{"half.*"}})
	refresh(t, without)
	requireKept(t, without, ids[0])
}

// A table of Open WebUI's that is none is refused by name, before anything is made
// and while everything runs.
func TestElsewhereBehindAView(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ change, says string }{
		"a view":              {`CREATE SCHEMA hidden; ALTER TABLE chat SET SCHEMA hidden; CREATE VIEW chat AS SELECT * FROM hidden.chat`, "public.chat is a view"},
		"a materialized view": {`CREATE SCHEMA hidden; ALTER TABLE note SET SCHEMA hidden; CREATE MATERIALIZED VIEW note AS SELECT * FROM hidden.note`, "public.note is a materialized view"},
		"a foreign table":     {`CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; ALTER TABLE feedback RENAME TO old; CREATE FOREIGN TABLE feedback (id text, snapshot json) SERVER s`, "public.feedback is a foreign table"},
		"table file":          {`CREATE SCHEMA hidden; ALTER TABLE file SET SCHEMA hidden; CREATE VIEW file AS SELECT * FROM hidden.file`, "public.file is a view"},
		"a reserved name":     {`CREATE SCHEMA hidden; ALTER TABLE "user" SET SCHEMA hidden; CREATE VIEW "user" AS SELECT * FROM hidden."user"`, `public."user" is a view`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, db := newDB(t)
			ids := newFiles(t, d, 2)
			testenv.InsertChat(t, d.Pool, testenv.Chat{Files: ids[:1]})
			refresh(t, db)
			look(t, db, ids...)
			d.Exec(t, c.change)
			_, err := tryLook(db, ids...) // by a statement that was made for tables
			require.Error(t, err)
			_, opened := postgres.Open(t.Context(), postgres.Options{URL: d.URL})
			for _, err := range []error{
				opened, db.IndexChanges(t.Context()), db.IndexAll(t.Context(), nil),
				func() error { _, err := tryLook(db, ids...); return err }(),
			} {
				require.Equal(t, repo.Environment, repo.KindOf(err))
				require.ErrorContains(t, err, c.says)
			}
		})
	}
}

// A partition or child that is attached was searched before, wherever it was.
func TestElsewhereAttached(t *testing.T) {
	t.Parallel()
	for name, attach := range map[string]string{
		"a partition": `CREATE TABLE extra (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); ALTER TABLE extra ATTACH PARTITION elsewhere.part DEFAULT`,
		"a child":     `CREATE TABLE extra (id int PRIMARY KEY, v text); ALTER TABLE elsewhere.part INHERIT extra`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, db := newDB(t)
			ids := newFiles(t, d, 2)
			d.Exec(t, withID(`CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.part (id int PRIMARY KEY, v text); INSERT INTO elsewhere.part VALUES (1, 'ID')`, ids[0]))
			refresh(t, db)
			readAll(t, d, db)
			requireKept(t, db, ids[0])
			d.Exec(t, attach)
			refresh(t, db)
			for range 2 {
				requireKept(t, db, ids[0])
				requireFree(t, db, ids[1])
				readAll(t, d, db)
			}
		})
	}
}

// Tables of somebody else's that have the names of ours are in the way, and stay.
func TestElsewhereTablesCalledLikeOurs(t *testing.T) {
	t.Parallel()
	for _, made := range []string{`CREATE TABLE pruned.reference (v text)`, `CREATE TABLE pruned.migration (v text)`} {
		d := testenv.New(t)
		d.Exec(t, `CREATE SCHEMA pruned; `+made)
		tables := func() []string {
			return testenv.Column[string](t, d, `SELECT relname::text FROM pg_class WHERE relnamespace = 'pruned'::regnamespace`)
		}
		before := tables()
		db, err := postgres.Open(t.Context(), postgres.Options{URL: d.URL})
		require.NoError(t, err)
		t.Cleanup(db.Close)
		require.NoError(t, db.Uninstall(t.Context()))
		require.Equal(t, before, tables())
		require.Error(t, db.Migrate(t.Context()))
		require.NoError(t, db.Uninstall(t.Context()))
		require.Equal(t, before, tables())
	}
}
