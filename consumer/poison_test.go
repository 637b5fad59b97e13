package consumer

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/repotest"
)

// obstacle makes one row impossible to delete.
type obstacle struct {
	name, sql string // %[1]s is the file's id
	state     string // SQLSTATE of the failure, if it has one
	why       string
}

var obstacles = []obstacle{
	{"a trigger that raises", `
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'legal hold'; END $$;
		CREATE TRIGGER refuse BEFORE DELETE ON file FOR EACH ROW WHEN (OLD.id = '%[1]s') EXECUTE FUNCTION refuse()`,
		"P0001", "legal hold"},
	{"a trigger that returns NULL", `
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
		CREATE TRIGGER refuse BEFORE DELETE ON file FOR EACH ROW WHEN (OLD.id = '%[1]s') EXECUTE FUNCTION refuse()`,
		"", "a trigger or a policy prevents it"},
	{"a foreign key", `
		ALTER TABLE file ADD number serial UNIQUE;
		CREATE TABLE hold AS SELECT number FROM file WHERE id = '%[1]s';
		ALTER TABLE hold ADD CONSTRAINT hold_file FOREIGN KEY (number) REFERENCES file (number)`,
		"23503", "hold_file"},
	{"a deferred foreign key", `
		ALTER TABLE file ADD number serial UNIQUE;
		CREATE TABLE hold AS SELECT number FROM file WHERE id = '%[1]s';
		ALTER TABLE hold ADD CONSTRAINT hold_file FOREIGN KEY (number) REFERENCES file (number) DEFERRABLE INITIALLY DEFERRED`,
		"23503", "hold_file"},
	{"a trigger on its chunks", `
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'legal hold'; END $$;
		CREATE TRIGGER refuse BEFORE DELETE ON document_chunk FOR EACH ROW WHEN (OLD.vmetadata->>'file_id' = '%[1]s') EXECUTE FUNCTION refuse()`,
		"P0001", "legal hold"},
}

func TestPoisonStandsAlone(t *testing.T) {
	t.Parallel()
	for _, o := range obstacles {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			files := i.files(t, 60)
			guilty := files[41]
			i.Exec(t, fmt.Sprintf(o.sql, guilty))
			i.refresh(t)
			results, err := handle(t, i.batch(t, i.transaction()), 1, files...)
			require.NoError(t, err)
			i.carryOut(t)
			for k, file := range files {
				if file != guilty {
					require.Equal(t, Deleted, results[k].Outcome, results[k].Detail)
					require.Equal(t, nothing, i.left(t, file))
					continue
				}
				require.Equal(t, Poison, results[k].Outcome, results[k].Detail)
				require.ErrorContains(t, results[k].Err, o.why)
				require.ErrorContains(t, results[k].Err, guilty)
				require.Equal(t, o.state, repo.SQLState(results[k].Err))
				require.Equal(t, whole, i.left(t, file))
				require.Zero(t, i.recorded(t, file))
			}
		})
	}
}

const guard = `
	CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'maintenance'; END $$;
	CREATE TRIGGER guard BEFORE DELETE ON file FOR EACH ROW EXECUTE FUNCTION guard()`

// A database that lets nothing be deleted is no fault of its files, whatever
// else a batch gets done.
func TestGuardedTableIsNoPoison(t *testing.T) {
	t.Parallel()
	i := install(t)
	files, kept, gone := i.files(t, 9), i.file(t), repotest.NewID()
	repotest.InsertNote(t, i.Pool, kept)
	i.refresh(t)
	i.Exec(t, guard)
	b := i.batch(t, i.transaction())
	results, err := handle(t, b, 1, append(files, kept, gone)...)
	require.NoError(t, err)
	for _, r := range results[:len(files)] {
		require.Equal(t, Failed, r.Outcome)
		require.ErrorContains(t, r.Err, "maintenance")
	}
	require.Equal(t, Kept, results[len(files)].Outcome)
	require.Equal(t, Gone, results[len(files)+1].Outcome)

	i.Exec(t, `DROP TRIGGER guard ON file`)
	results, err = handle(t, b, 2, files...)
	require.NoError(t, err)
	for _, r := range results {
		require.Equal(t, Deleted, r.Outcome)
	}
}

// An event that fails for good is not tried for ever, though nothing else comes
// with it.
func TestLonelyPoisonEnds(t *testing.T) {
	t.Parallel()
	i := install(t)
	file := i.file(t)
	i.refresh(t)
	i.Exec(t, guard)
	b := i.batch(t, i.transaction())
	for times, want := range []Outcome{Failed, Failed, Poison} {
		results, err := handle(t, b, uint64(times+1), file)
		require.NoError(t, err)
		require.Equal(t, want, results[0].Outcome, "delivery %d", times+1)
	}
	require.Equal(t, whole, i.left(t, file))
}
