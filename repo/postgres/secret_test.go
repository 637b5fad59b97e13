package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// Whatever a row holds, no error tells it: of JSON its first line was quoted.
func TestSecretsOfRowsAreNotInErrors(t *testing.T) {
	t.Parallel()
	_, db := newDB(t)
	const secret = "hunter2"
	for what, sql := range map[string]string{
		"JSON":                `SELECT '{"password": "hunter2", }'::text::json`,
		"a bare word":         `SELECT 'hunter2'::text::json`,
		"an escaped NUL":      `SELECT '{"hunter2": "\u0000"}'::text::jsonb ->> 'hunter2'`,
		"a number":            `SELECT 'hunter2'::text::int`,
		"one with quotes":     `SELECT 'a "b" hunter2 "'::text::int`,
		"a date":              `SELECT 'hunter2'::text::timestamptz`,
		"a UUID":              `SELECT 'hunter2'::text::uuid`,
		"a bytea":             `SELECT '\xhunter2'::text::bytea`,
		"a text too long":     `SELECT set_config('lock_timeout', 'hunter2', true)`,
		"a unique key":        `CREATE TABLE u (a text UNIQUE); INSERT INTO u VALUES ('hunter2'); INSERT INTO u SELECT a FROM u`,
		"a check":             `CREATE TABLE c (a text CHECK (a = 'x')); INSERT INTO c VALUES ('hunter2')`,
		"a NULL":              `CREATE TABLE n (a text, b text NOT NULL); INSERT INTO n VALUES ('hunter2')`,
		"a key":               `CREATE TABLE p (a text PRIMARY KEY); CREATE TABLE k (a text REFERENCES p); INSERT INTO k VALUES ('hunter2')`,
		"an index":            `CREATE TABLE i (a text PRIMARY KEY); INSERT INTO i SELECT string_agg(md5(x::text), 'hunter2') FROM generate_series(1, 2000) x`,
		"a function":          `DO $$ DECLARE n int; BEGIN n := 'hunter2'::text::int; END $$`,
		"an exception":        `DO $$ BEGIN RAISE 'no: %', (SELECT 'hunter2'::text); END $$`,
		"one of another code": `DO $$ BEGIN RAISE 'no: %', (SELECT 'hunter2'::text) USING ERRCODE = '23514'; END $$`,
		"an assertion":        `DO $$ BEGIN ASSERT false, 'hunter2'; END $$`,
		"SQL of a trigger":    `DO $$ BEGIN EXECUTE 'SELECT ''hunter2''::text::int'; END $$`,
	} {
		err := db.InTx(t.Context(), nil, func(tx tx) error {
			_, err := tx.Exec(t.Context(), sql)
			require.Error(t, err, what)
			return err
		})
		// What was being done names the statement, and those of the program hold no values.
		var said *repo.Error
		require.ErrorAs(t, err, &said, what)
		require.NotContains(t, said.Err.Error(), secret, what)
	}
}

// What a function always says is told: an operator wrote it for whoever meets it.
func TestSecretsOfRowsAreNotInErrorsOfTriggers(t *testing.T) {
	t.Parallel()
	for raised, says := range map[string]string{
		`'it''s on "legal hold"'`:    `it's on "legal hold" (SQLSTATE P0001), at PL/pgSQL function guard() line 1 at RAISE`,
		`'no: %', OLD.filename`:      repo.Raised,
		`'%', OLD.filename`:          repo.Raised,
		`USING MESSAGE=OLD.filename`: repo.Raised,
	} {
		d, db := newDB(t)
		ids := newFiles(t, d, 1)
		d.Exec(t, `UPDATE file SET filename = 'hunter2'`)
		d.Exec(t, `CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE `+raised+`; END $$`)
		d.Exec(t, `CREATE TRIGGER guard BEFORE DELETE ON file FOR EACH ROW EXECUTE FUNCTION guard()`)
		refresh(t, db)
		_, err := deletion(db, ids, nothing)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "hunter2")
		require.Equal(t, repo.Permanent, repo.KindOf(err))
	}
}
