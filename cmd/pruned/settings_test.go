package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// bare is a program without a database.
func bare(settings ...string) *installation { return &installation{env: settings} }

func TestSettingsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	fine := []string{"DATABASE_URL=postgresql://u:p4ssw0rd@127.0.0.1:1/d", "VECTOR_DB=pgvector"}
	for name, c := range map[string]struct {
		settings []string
		args     []string
		want     []string
	}{
		"no database":              {[]string{"VECTOR_DB=none"}, nil, []string{"DATABASE_URL: is not set", "postgresql://"}},
		"an encrypted database":    {[]string{"DATABASE_URL=sqlite+sqlcipher:////data/webui.db", "VECTOR_DB=none"}, nil, []string{"DATABASE_URL", "SQLCipher"}},
		"vectors elsewhere":        {[]string{"DATABASE_URL=sqlite:////data/webui.db", "VECTOR_DB=pgvector"}, nil, []string{"PGVECTOR_DB_URL: is not set", "SQLite"}},
		"a vector store not built": {append(fine[:1:1], "VECTOR_DB=lancedb"), nil, []string{`VECTOR_DB: "lancedb" is not built yet`}},
		"a duration":               {append(fine, "PRUNED_MIN_AGE=1 day"), nil, []string{"PRUNED_MIN_AGE", "a duration such as"}},
		"a negative age":           {append(fine, "PRUNED_MIN_AGE=-1h"), nil, []string{"PRUNED_MIN_AGE", "0s or more"}},
		"a size of batches":        {append(fine, "PRUNED_BATCH=0"), nil, []string{"PRUNED_BATCH: 0 is out of range"}},
		"a misspelt variable":      {append(fine, "PRUNED_MINAGE=1h"), nil, []string{"PRUNED_MINAGE: is not a setting", "PRUNED_MIN_AGE"}},
		"an open port":             {append(fine, "PRUNED_NATS_LISTEN=0.0.0.0:4222"), nil, []string{"PRUNED_NATS_LISTEN", "can be reached from other machines"}},
		"a stream's name":          {append(fine, "PRUNED_STREAM=bücher"), nil, []string{"PRUNED_STREAM", "bücher", "letters of ASCII"}},
		"another's dead letters":   {append(fine, "PRUNED_STREAM=PRUNED_DEAD"), nil, []string{"PRUNED_STREAM", "_DEAD"}},
		"too short a retention":    {append(fine, "PRUNED_RETENTION=1ms"), nil, []string{"PRUNED_RETENTION", "100ms or more"}},
		"all at once":              {append(fine, "PRUNED_MIN_AGE=x", "PRUNED_WORKERS=0", "PRUNED_FOO=1"), nil, []string{"PRUNED_MIN_AGE", "PRUNED_WORKERS", "PRUNED_FOO"}},
		"a flag":                   {fine, []string{"run", "--darin"}, []string{"--darin"}},
		"a command":                {fine, []string{"rnu"}, []string{"rnu"}},
		"no command":               {fine, []string{}, []string{"wanted a command"}},
		"nothing to replay":        {fine, []string{"replay"}, []string{"wanted one of --since"}},
		"two kinds of replays":     {fine, []string{"replay", "--all", "--dead"}, []string{"--all and --dead"}},
		"a time":                   {fine, []string{"replay", "--since", "yesterday"}, []string{"neither a time such as"}},
		"a file of settings":       {fine, []string{"run", "--env-file", "/missing"}, []string{"--env-file", "no such file"}},
		"no command of dead":       {fine, []string{"dead"}, []string{"list, show, redrive, purge"}},
		"an output":                {fine, []string{"run", "-o", "yaml"}, []string{"text"}},
		"uninstall without --yes":  {fine, []string{"uninstall"}, []string{"--yes"}},
		"a number":                 {fine, []string{"dead", "show", "first"}, []string{"first"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := c.args
			if args == nil {
				args = []string{"run"}
			}
			status, out, errs := bare(c.settings...).pruned(t, "", args...)
			require.Equal(t, exitUsage, status)
			require.Empty(t, out)
			for _, want := range c.want {
				require.Contains(t, errs, want)
			}
			require.NotContains(t, errs, "p4ssw0rd")
		})
	}
}

// What a command finds wrong when it starts is told in one line that names it.
func TestWhatCannotBeOpened(t *testing.T) {
	t.Parallel()
	i := install(t)
	empty := install(t, testenv.Empty())
	for name, c := range map[string]struct {
		i    *installation
		want string
	}{
		"a database that does not answer": {i.with("DATABASE_URL=postgresql://u:p4ssw0rd@127.0.0.1:1/d"), "connect to PostgreSQL"},
		"a database of somebody else":     {empty, "schema public is empty"},
		"a schema of somebody else":       {i.with("DATABASE_SCHEMA=nobody"), "schema nobody is empty"},
		"a table that is not there":       {i.with("PRUNED_IGNORE=nothing"), "nothing"},
		"an empty data folder":            {bare("DATA_DIR="+t.TempDir(), "PRUNED_NATS_LISTEN=127.0.0.1:0"), "webui.db"},
		"no upload folder":                {i.with("DATA_DIR=" + t.TempDir()), "DATA_DIR must be Open WebUI's"},
		"a queue that does not answer":    {i.with("NATS_URL=nats://u:p4ssw0rd@127.0.0.1:1"), "connecting to the queue at nats://127.0.0.1:1"},
	} {
		status, out, errs := c.i.pruned(t, "", "run", "--drain")
		require.Equal(t, exitFailed, status, name)
		require.Empty(t, out, name)
		require.Contains(t, errs, c.want, name)
		require.NotContains(t, errs, "p4ssw0rd", name)
	}
}

func TestVersionAndHelp(t *testing.T) {
	t.Parallel()
	require.Equal(t, "pruned dev\n", bare().must(t, "--version"))
	help := bare().must(t, "--help")
	for _, command := range []string{"run", "publish", "sweep", "replay", "explain", "dead", "ledger", "doctor", "migrate", "uninstall"} {
		require.Contains(t, help, command)
	}
	require.Contains(t, bare().must(t, "run", "--help"), "--drain")
}

// The slim image of Open WebUI means pgvector where VECTOR_DB is not set, the full one
// chroma: rows went, and their chunks stayed.
func TestOwnershipOfVectorsThatAreNotSet(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("VECTOR_DB=")
	file := testenv.NewFile(t, i.Pool)
	testenv.InsertChunks(t, i.Pool, testenv.Chunks{FileID: file, Vectors: small})
	for _, args := range [][]string{{"run", "--drain"}, {"sweep"}, {"explain", file}} {
		status, _, errs := i.pruned(t, "", args...)
		require.Equal(t, exitUsage, status)
		require.Contains(t, errs, "VECTOR_DB: is not set, and the database has a table document_chunk: wanted pgvector")
	}
	status, out, _ := i.pruned(t, "", "doctor")
	require.Equal(t, exitFailed, status)
	require.Contains(t, out, "VECTOR_DB: is not set")
	require.Equal(t, left{rows: 1, chunks: 1}, i.left(t, file))
	i.with("VECTOR_DB=pgvector").must(t, "run", "--drain")
}
