package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

func ignoring(t testing.TB, d *testenv.Database, names ...string) *postgres.DB {
	t.Helper()
	return openWith(t, postgres.Options{URL: d.URL, Schema: d.Schema, Ignore: names})
}

// A name that does not exist is a mistake, and is told before anything is done.
func TestIgnoredNamesMustExist(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	_, err := postgres.Open(t.Context(), postgres.Options{URL: d.URL, Ignore: []string{"note.title", "nope", "note.nope", "a.b.c", "a.b.c.d", "a.*", "public.*", "note.", "", "pg_class"}})
	require.Equal(t, repo.Environment, repo.KindOf(err))
	for _, says := range []string{"PRUNED_IGNORE", `"nope": schema public has no such table nope`, `"note.nope": schema public has no such column nope`,
		`"a.b.c.d" is neither`, `"a.b.c": there is no such schema`, `"a.*": there is no such schema`, `"public.*": that is Open WebUI's own schema`, `"note." is neither`, `"" is neither`, `"pg_class": schema public has no such table`} {
		require.ErrorContains(t, err, says)
	}
	require.NotContains(t, err.Error(), "note.title")
	d.Exec(t, `ALTER TABLE note DROP COLUMN meta`)
	_, err = postgres.Open(t.Context(), postgres.Options{URL: d.URL, Ignore: []string{"note.meta"}})
	require.ErrorContains(t, err, "no such column meta")
}

// What is ignored keeps nothing, whether it changed just now or long ago; the rest
// of its table keeps as ever.
func TestIgnoredMentionsKeepNothing(t *testing.T) {
	t.Parallel()
	d := testenv.New(t)
	d.Exec(t, `CREATE TABLE keyless (v text, w text)`)
	d.Exec(t, `CREATE SCHEMA elsewhere; CREATE TABLE split (id text PRIMARY KEY, v text, w text) PARTITION BY HASH (id);
		CREATE TABLE elsewhere.one PARTITION OF split FOR VALUES WITH (modulus 1, remainder 0);
		CREATE TABLE whole (id text PRIMARY KEY, v text) PARTITION BY HASH (id);
		CREATE TABLE elsewhere.whole_one PARTITION OF whole FOR VALUES WITH (modulus 1, remainder 0)`)
	db := ignoring(t, d, "model_history", "note.title", "keyless.v", "split.v", "whole")
	ids := newFiles(t, d, 8)
	refresh(t, db)
	say := func(sql, id string) { d.Exec(t, sql, id) }
	say(`INSERT INTO model_history (id, model_id, snapshot, user_id, created_at) VALUES ('h', 'm', to_json($1::text), 'u', 1)`, ids[0])
	insertMention(t, d, ids[1])
	say(`INSERT INTO keyless (v) VALUES ($1)`, ids[2])
	say(`INSERT INTO split (id, v) VALUES ('a', $1)`, ids[3])
	say(`INSERT INTO whole (id, v) VALUES ('a', $1)`, ids[4])
	say(`INSERT INTO note (id, user_id, title, data, created_at, updated_at) VALUES ('n', 'u', 't', to_json($1::text), 1, 1)`, ids[5])
	say(`INSERT INTO keyless (w) VALUES ($1)`, ids[6])
	say(`INSERT INTO split (id, w) VALUES ('b', $1)`, ids[7])
	for range 2 {
		requireFree(t, db, ids[:5]...)
		requireKept(t, db, ids[5:]...)
		readAll(t, d, db)
	}
	inTx(t, db, func(tx tx) {
		found, err := db.ListReferences(t.Context(), tx, ids[1])
		require.NoError(t, err)
		require.Empty(t, found)
	})
	appeared, err := deletion(db, ids[:5], func() { insertMention(t, d, ids[0]) })
	require.NoError(t, err)
	require.Empty(t, appeared)
	requireAll(t, d, 3)
}

// With other settings the index is another: nothing is deleted until it has read
// what came back, nor may what is not ignored any more be forgotten.
func TestChangedIgnoreReadsAnew(t *testing.T) {
	t.Parallel()
	d, plain := newDB(t)
	ids := newFiles(t, d, 3)
	insertMention(t, d, ids[0])
	d.Exec(t, `INSERT INTO model_history (id, model_id, snapshot, user_id, created_at) VALUES ('h', 'm', to_json($1::text), 'u', 1)`, ids[1])
	refresh(t, plain)
	readAll(t, d, plain)
	requireKept(t, plain, ids[:2]...)

	for _, names := range [][]string{{"note.title"}, {"note", "model_history"}, {"model_history.snapshot"}} {
		db := ignoring(t, d, names...)
		if len(names) == 1 { // a table that nobody reads any more needs no reading
			requireIncomplete(t, db, ids...)
		}
		refresh(t, db)
		note := names[0] == "note.title" || len(names) > 1
		history := names[0] != "note.title"
		found := look(t, db, ids...).Referenced
		require.Equal(t, note, found[ids[0]] == repo.Reference{}, names)
		require.Equal(t, history, found[ids[1]] == repo.Reference{}, names)
		for range 2 { // with and without the statements that it had prepared
			requireIncomplete(t, plain, ids...)
			pass(t, plain)
		}
		refresh(t, plain)
		requireKept(t, plain, ids[:2]...)
		requireFree(t, plain, ids[2])
	}

	// What was written while it was ignored is found too.
	db := ignoring(t, d, "note")
	refresh(t, db)
	insertMention(t, d, ids[2])
	readAll(t, d, db)
	requireFree(t, db, ids[2])
	refresh(t, plain)
	requireKept(t, plain, ids...)
}
