package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/postgres"
	"pruned/repo/testenv"
)

// What makes a deletion something else is an error, and nothing is deleted.
func TestUnusualDeletions(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"a rule that does nothing": `CREATE RULE r AS ON DELETE TO file DO INSTEAD NOTHING`,
		"a trigger that restores": `CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO file SELECT OLD.*; RETURN NULL; END';
			CREATE TRIGGER again AFTER DELETE ON file FOR EACH ROW EXECUTE FUNCTION again()`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, db := newDB(t)
			ids := newFiles(t, d, 2)
			refresh(t, db)
			d.Exec(t, change)
			_, err := deletion(db, ids, nothing)
			require.Error(t, err)
			require.NotEqual(t, repo.Passing, repo.KindOf(err))
			requireAll(t, d, 2)
		})
	}
}

// A rule that keeps one row keeps that one.
func TestUnusualRuleForOneRow(t *testing.T) {
	t.Parallel()
	d, db := newDB(t)
	ids := newFiles(t, d, 3)
	refresh(t, db)
	d.Exec(t, `CREATE RULE r AS ON DELETE TO file WHERE OLD.id = '`+ids[1]+`' DO INSTEAD NOTHING`)
	_, err := deletion(db, ids, nothing)
	require.ErrorContains(t, err, "a rule")
	require.Equal(t, repo.Permanent, repo.KindOf(err))
	requireAll(t, d, 3)
	_, err = deletion(db, []string{ids[0], ids[2]}, nothing)
	require.NoError(t, err)
	require.Equal(t, ids[1:2], testenv.Column[string](t, d, `SELECT id FROM file`))
}

// An UNLOGGED table is empty after a crash: what it mentioned is not free.
func TestUnusualTableEmptiedByACrash(t *testing.T) {
	t.Parallel()
	server := testenv.NewServer(t, testenv.ServerOptions{})
	d := server.New(t)
	db := open(t, d)
	ids := newFiles(t, d, 2)
	d.Exec(t, `ALTER TABLE pinned_note SET UNLOGGED; ALTER TABLE note SET UNLOGGED`)
	insertMention(t, d, ids[0])
	refresh(t, db)
	readAll(t, d, db)
	requireKept(t, db, ids[0])
	db.Close()
	require.NoError(t, server.Kill())
	require.NoError(t, server.Restart(t.Context()))
	d.Pool.Reset()
	require.Zero(t, testenv.Value[int](t, d, `SELECT count(*) FROM note`))
	after := open(t, d)
	for _, err := range []error{
		after.IndexChanges(t.Context()),
		func() error { _, err := tryLook(after, ids...); return err }(),
	} {
		require.Equal(t, repo.Environment, repo.KindOf(err))
		require.ErrorContains(t, err, "public.note")
		require.ErrorContains(t, err, "SET LOGGED")
	}
	d.Exec(t, `ALTER TABLE note SET LOGGED`)
	refresh(t, after)
	requireFree(t, after, ids...)
}

// A table file whose columns a migration by hand made of other types is refused, with
// what mends it.
func TestUnusualColumnsOfFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change string
		says   []string
	}{
		"a time as text": {`ALTER TABLE file ALTER created_at TYPE text`,
			[]string{"column file.created_at has type text, not bigint", "ALTER TABLE public.file ALTER COLUMN created_at"}},
		"a time as timestamp": {`ALTER TABLE file ALTER updated_at TYPE timestamptz USING to_timestamp(updated_at)`,
			[]string{"column file.updated_at has type timestamp with time zone, not bigint", "extract(epoch FROM updated_at)::bigint"}},
		"an id as uuid": {`ALTER TABLE chat_file DROP CONSTRAINT chat_file_file_id_fkey; ALTER TABLE channel_file DROP CONSTRAINT channel_file_file_id_fkey;
			ALTER TABLE knowledge_file DROP CONSTRAINT knowledge_file_file_id_fkey; ALTER TABLE file ALTER id TYPE uuid USING id::uuid`,
			[]string{"column file.id has type uuid, not varchar", "USING id::text::varchar"}},
		"data as bytes": {`DROP INDEX IF EXISTS file_pending_knowledge_idx; ALTER TABLE file ALTER data TYPE bytea USING convert_to(data::text, 'UTF8')`,
			[]string{"column file.data has type bytea, not json", "convert_from(data, 'UTF8')::json"}},
		"no meta": {`DROP INDEX IF EXISTS file_pending_knowledge_idx; ALTER TABLE file DROP meta`, []string{"missing file.meta"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := testenv.New(t)
			newFiles(t, d, 1)
			d.Exec(t, c.change)
			_, err := postgres.Open(t.Context(), postgres.Options{URL: d.URL})
			require.Equal(t, repo.Environment, repo.KindOf(err))
			for _, says := range c.says {
				require.ErrorContains(t, err, says)
			}
		})
	}
	d := testenv.New(t)
	d.Exec(t, `CREATE DOMAIN moment AS bigint; ALTER TABLE file ALTER created_at TYPE moment; ALTER TABLE file ALTER updated_at TYPE numeric`)
	open(t, d)
}
