package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// obstacle makes one row impossible to delete; %[1]s is the file's id.
type obstacle struct{ name, sql, mend, state, why string }

var obstacles = []obstacle{
	{"a trigger that raises", `
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'legal hold'; END $$;
		CREATE TRIGGER refuse BEFORE DELETE ON file FOR EACH ROW WHEN (OLD.id = '%[1]s') EXECUTE FUNCTION refuse()`,
		`DROP TRIGGER refuse ON file`, "P0001", "legal hold"},
	{"a trigger that returns NULL", `
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
		CREATE TRIGGER refuse BEFORE DELETE ON file FOR EACH ROW WHEN (OLD.id = '%[1]s') EXECUTE FUNCTION refuse()`,
		`DROP TRIGGER refuse ON file`, "", "a trigger or a policy prevents it"},
	{"a foreign key", `
		ALTER TABLE file ADD number serial UNIQUE;
		CREATE TABLE hold AS SELECT number FROM file WHERE id = '%[1]s';
		ALTER TABLE hold ADD CONSTRAINT hold_file FOREIGN KEY (number) REFERENCES file (number)`,
		`DROP TABLE hold`, "23503", "hold_file"},
}

// One file that can never be deleted ends as a dead letter; everybody else's go.
func TestPoison(t *testing.T) {
	t.Parallel()
	for _, o := range obstacles {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			files := i.seed(t, 500, 500).Orphans
			guilty := files[333]
			others := slices.DeleteFunc(slices.Clone(files), func(id string) bool { return id == guilty })
			i.Exec(t, fmt.Sprintf(o.sql, guilty))
			i.publish(t, files...)
			summary := i.drain(t)
			require.Equal(t, 500, summary.Events, "each is decided once: %+v", summary)
			require.Equal(t, 499, summary.Deleted, "%+v", summary)
			require.Equal(t, 1, summary.Poison, "%+v", summary)
			require.Equal(t, nothing, i.left(t, others...))
			require.Equal(t, left{1, 1, 1}, i.left(t, guilty))

			letters := ask[[]letter](t, i, "dead", "list")
			require.Len(t, letters, 1)
			require.Equal(t, guilty, letters[0].FileID)
			require.Equal(t, "poison", letters[0].Kind)
			require.Equal(t, o.state, letters[0].SQLState)
			require.Contains(t, letters[0].Error, o.why)
			require.Positive(t, letters[0].Deliveries)
			shown := ask[letter](t, i, "dead", "show", fmt.Sprint(letters[0].Seq))
			require.Contains(t, shown.Payload, guilty)
			require.Contains(t, i.must(t, "dead", "list"), o.why)

			i.Exec(t, o.mend)
			require.Equal(t, map[string]int{"redriven": 1}, ask[map[string]int](t, i, "dead", "redrive", fmt.Sprint(letters[0].Seq)))
			require.Equal(t, 1, i.drain(t).Deleted)
			require.Equal(t, nothing, i.left(t, guilty))
			require.Empty(t, ask[[]letter](t, i, "dead", "list"))
			require.Len(t, ask[[]any](t, i, "ledger"), 500)
		})
	}
}

// A guard over the whole table is no fault of its files: they wait for its end.
func TestGuardedTable(t *testing.T) {
	t.Parallel()
	i := install(t)
	files := i.seed(t, 20, 20).Orphans
	i.Exec(t, `
		CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'maintenance'; END $$;
		CREATE TRIGGER guard BEFORE DELETE ON file FOR EACH ROW EXECUTE FUNCTION guard()`)
	i.publish(t, files...)
	d := i.start(t, "--drain", "-o", "json")
	require.Eventually(t, func() bool { return strings.Contains(d.errs.String(), `"failed":20`) }, signalTimeout, pollEvery)
	i.Exec(t, `DROP TRIGGER guard ON file`)
	require.Zero(t, d.wait(t))
	require.Equal(t, nothing, i.left(t, files...))
	require.Empty(t, ask[[]letter](t, i, "dead", "list"))
	require.Equal(t, 20, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.ledger`))
}
