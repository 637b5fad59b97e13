package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/testenv"
)

// What a role may read is known of that role alone, which a session may have changed.
func TestNothingIsQuietForAnotherRole(t *testing.T) {
	t.Parallel()
	_, db, ids := newQuietFiles(t, 2)
	refresh(t, db)
	look := func(role string) (scans int64) {
		inTx(t, db, func(tx repo.Tx) {
			count := func() int64 {
				n, err := tx.Exec(t.Context(), `SELECT FROM pg_stat_xact_all_tables, generate_series(1, seq_scan) WHERE relid = 'public.note'::regclass`)
				require.NoError(t, err)
				return n
			}
			before := count()
			_, err := tx.Exec(t.Context(), role)
			require.NoError(t, err)
			found, err := db.FindIndexed(t.Context(), tx, ids)
			require.NoError(t, err)
			_, err = db.RecheckReferences(t.Context(), tx, found, ids, nil)
			require.NoError(t, err)
			scans = count() - before
		})
		return scans
	}
	look(`SELECT`)
	require.Zero(t, look(`SELECT`))
	require.EqualValues(t, 1, look(`SET LOCAL ROLE pg_read_all_data`))
}

// What a trigger of another worker's deletion writes beside ours counts like anybody's row.
func TestTriggerOfAnotherWorkerIsSeen(t *testing.T) {
	t.Parallel()
	d, db, ids := newQuietFiles(t, 2)
	d.Exec(t, `CREATE TABLE audit (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), row text);
		CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.audit (row) VALUES (to_jsonb(OLD)::text); RETURN NULL; END $$;
		CREATE TRIGGER audit AFTER DELETE ON file FOR EACH ROW EXECUTE FUNCTION audit()`)
	d.Exec(t, `UPDATE file SET data = jsonb_build_object('of', $2::text) WHERE id = $1`, ids[1], ids[0])
	refresh(t, db)
	_, err := tryLateLook(db, ids...)
	require.NoError(t, err)
	appeared, err := deletion(db, ids[:1], func() {
		_, err := deletion(db, ids[1:], nothing)
		require.NoError(t, err)
	})
	require.NoError(t, err)
	require.Contains(t, appeared, ids[0])
}

// Rows that go with chunks, or are written since chunks go, are looked at before these do.
func TestKeysToChunksAreSeen(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"CASCADE", "SET NULL"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			d, db := newDB(t)
			file := newFiles(t, d, 1)[0]
			d.Exec(t, `CREATE TABLE document_chunk (id text PRIMARY KEY, collection_name text, text text, vmetadata jsonb);
				CREATE TABLE quote (id text PRIMARY KEY, chunk_id text REFERENCES document_chunk ON DELETE `+action+`, note text)`)
			refresh(t, db)
			d.Exec(t, `INSERT INTO document_chunk (id, collection_name, text) VALUES ('c', $1, 't')`, "file-"+file)
			d.Exec(t, `INSERT INTO quote VALUES ('q', 'c', $1)`, file)
			inTx(t, db, func(tx repo.Tx) {
				found, err := db.FindIndexed(t.Context(), tx, []string{file})
				require.NoError(t, err)
				require.Contains(t, found.Referenced, file)
			})
		})
	}
}

// By rows without a parent that we remove others may live again, or be written.
func TestNothingIsQuietAfterDanglingRowsWent(t *testing.T) {
	t.Parallel()
	d, db, ids := newQuietFiles(t, 2)
	testenv.InsertChat(t, d.Pool, testenv.Chat{})
	unchecked(t, d, `INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES ('l', 'u', 'gone', $1, 1, 1)`, ids[1])
	refresh(t, db)
	for range 2 {
		scansOf(t, db, true, ids[0])
	}
	inTx(t, db, func(tx repo.Tx) {
		n, err := db.RemoveDangling(t.Context(), tx, "chat_file", []string{"l"})
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
	_, second := scansOf(t, db, true, ids[0])
	require.EqualValues(t, 1, second)
	_, second = scansOf(t, db, true, ids[0])
	require.Zero(t, second)
}

// What belongs to a file that comes back may live again.
func TestNothingIsQuietAfterARestore(t *testing.T) {
	t.Parallel()
	_, db, ids := newQuietFiles(t, 2)
	inTx(t, db, func(tx repo.Tx) {
		_, err := db.Delete(t.Context(), tx, ids[1:], time.Hour)
		require.NoError(t, err)
	})
	refresh(t, db)
	for range 2 {
		scansOf(t, db, true, ids[0])
	}
	inTx(t, db, func(tx repo.Tx) {
		_, err := db.Restore(t.Context(), tx, ids[1])
		require.NoError(t, err)
	})
	_, second := scansOf(t, db, true, ids[0])
	require.EqualValues(t, 1, second)
	_, second = scansOf(t, db, true, ids[0])
	require.Zero(t, second)
}
