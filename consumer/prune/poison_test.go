package prune_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/repo"
	"pruned/repo/testenv"
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
			i := fixture.Install(t)
			files := i.AddFiles(t, 60)
			guilty := files[41]
			i.Exec(t, fmt.Sprintf(o.sql, guilty))
			i.RefreshIndex(t)
			results, err := fixture.HandleBatch(t, i.NewHandler(t, i.NewTransaction()), 1, files...)
			require.NoError(t, err)
			i.DrainTombstones(t)
			for k, file := range files {
				if file != guilty {
					require.Equal(t, event.Deleted, results[k].Outcome, results[k].Detail)
					require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
					continue
				}
				require.Equal(t, event.Poison, results[k].Outcome, results[k].Detail)
				require.ErrorContains(t, results[k].Err, o.why)
				require.ErrorContains(t, results[k].Err, guilty)
				require.Equal(t, o.state, repo.SQLState(results[k].Err))
				require.Equal(t, fixture.Whole, i.LeftOf(t, file))
				require.Zero(t, i.CountRecords(t, file))
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
	i := fixture.Install(t)
	files, kept, gone := i.AddFiles(t, 9), i.AddFile(t), testenv.NewID()
	testenv.InsertNote(t, i.Pool, kept)
	i.RefreshIndex(t)
	i.Exec(t, guard)
	b := i.NewHandler(t, i.NewTransaction())
	results, err := fixture.HandleBatch(t, b, 1, append(files, kept, gone)...)
	require.NoError(t, err)
	for _, r := range results[:len(files)] {
		require.Equal(t, event.Failed, r.Outcome)
		require.ErrorContains(t, r.Err, "maintenance")
	}
	require.Equal(t, event.Kept, results[len(files)].Outcome)
	require.Equal(t, event.Gone, results[len(files)+1].Outcome)

	i.Exec(t, `DROP TRIGGER guard ON file`)
	results, err = fixture.HandleBatch(t, b, 2, files...)
	require.NoError(t, err)
	for _, r := range results {
		require.Equal(t, event.Deleted, r.Outcome)
	}
}

// An event that fails for good is not tried for ever, though nothing else comes
// with it.
func TestLonelyPoisonEnds(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file := i.AddFile(t)
	i.RefreshIndex(t)
	i.Exec(t, guard)
	b := i.NewHandler(t, i.NewTransaction())
	for times, want := range []event.Outcome{event.Failed, event.Failed, event.Poison} {
		results, err := fixture.HandleBatch(t, b, uint64(times+1), file)
		require.NoError(t, err)
		require.Equal(t, want, results[0].Outcome, "delivery %d", times+1)
	}
	require.Equal(t, fixture.Whole, i.LeftOf(t, file))
}
