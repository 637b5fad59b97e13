package main

import (
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

const chunkIndexSQL = `SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'pruned%'`

const captureSQL = `SELECT (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pruned%') + (SELECT count(*) FROM pg_proc WHERE proname LIKE 'capture%')`

// Nothing of ours is left after uninstall, and everything of theirs.
func TestUninstallLeavesNothing(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	before := schema(t, i)
	file := testenv.NewFile(t, i.Pool)
	require.Contains(t, i.must(t, "migrate"), "up to date")
	require.Zero(t, testenv.Value[int](t, i.Database, chunkIndexSQL))
	require.Contains(t, ask[map[string]string](t, i, "migrate", "--indexes")["done"], "index on document_chunk")
	require.Equal(t, 1, testenv.Value[int](t, i.Database, chunkIndexSQL))
	i.must(t, "migrate", "--indexes") // the second time
	require.Contains(t, ask[map[string]string](t, i, "migrate", "--capture")["done"], "tables are written; read whole as before: ")
	require.NotZero(t, testenv.Value[int](t, i.Database, captureSQL))
	require.Contains(t, i.must(t, "doctor"), "only rows that were written are read")
	require.Contains(t, i.must(t, "migrate", "--no-capture"), "no trigger notes rows any more")
	require.Zero(t, testenv.Value[int](t, i.Database, captureSQL))
	i.must(t, "migrate", "--capture")
	i.publish(t, file, testenv.NewID())
	i.drain(t)
	i.publish(t, file)

	i.must(t, "uninstall", "--yes")
	require.Zero(t, testenv.Value[int](t, i.Database, captureSQL))
	require.Equal(t, before, schema(t, i))
	i.client(t, func(_ *nats.Conn, js jetstream.JetStream) {
		names := js.StreamNames(t.Context())
		require.Empty(t, <-names.Name())
		require.NoError(t, names.Err())
	})
	i.must(t, "uninstall", "--yes") // the second time
	require.Equal(t, before, schema(t, i))

	testenv.NewFile(t, i.Pool)
	require.Zero(t, i.drain(t).Events, "installed anew, it begins with nothing")
}

// schema lists every object of a database that is not PostgreSQL's own.
func schema(t *testing.T, i *installation) []string {
	t.Helper()
	return testenv.Column[string](t, i.Database, `
		SELECT concat_ws(' ', c.relkind, n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		 WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
		 UNION ALL SELECT nspname FROM pg_namespace
		 UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
		 UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
		 ORDER BY 1`)
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	type finding struct{ Check, Detail, Do string }
	type diagnosis struct {
		OK     bool
		Checks []finding
	}
	require.True(t, ask[diagnosis](t, i, "doctor").OK)
	require.Zero(t, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pg_namespace WHERE nspname = 'pruned'`), "it changes nothing")
	i.drain(t)
	healthy := ask[diagnosis](t, i, "doctor")
	require.True(t, healthy.OK)
	require.True(t, ask[diagnosis](t, i, "doctor", "--quick").OK)
	require.Less(t, len(ask[diagnosis](t, i, "doctor", "--quick").Checks), len(healthy.Checks))

	i.Exec(t, `ALTER TABLE chat_file DROP CONSTRAINT chat_file_file_id_fkey`)
	status, out, errs := i.pruned(t, "", "doctor")
	require.Equal(t, exitFailed, status)
	require.Contains(t, out, "WRONG")
	require.Contains(t, out, "chat_file")
	require.Contains(t, errs, "not everything is well")
}

// What would be done for good does not pass for a dry run.
func TestNoDryRun(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	file := testenv.NewFile(t, i.Pool)
	i.must(t, "migrate")
	dry := i.with("PRUNED_DRY_RUN=true")
	for _, args := range [][]string{{"publish", file}, {"dead", "redrive", "1"}, {"dead", "purge"}, {"migrate"}, {"uninstall", "--yes"}} {
		status, out, errs := dry.pruned(t, "", args...)
		require.Equal(t, exitUsage, status, args)
		require.Empty(t, out)
		require.Contains(t, errs, "PRUNED_DRY_RUN (--dry-run) is true, and "+args[0])
	}
	require.Equal(t, 1, testenv.Value[int](t, i.Database, `SELECT count(*) FROM pruned.state`))
	require.Zero(t, i.drain(t).Events)
}
