package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/repo/repotest"
)

func TestMain(m *testing.M) { repotest.Main(m) }

// installation is one Open WebUI with a pruned beside it.
type installation struct {
	*repotest.Database
	dir string
	env []string
}

func install(t *testing.T, options ...repotest.Option) *installation {
	t.Helper()
	i := &installation{Database: repotest.New(t, options...), dir: t.TempDir()}
	require.NoError(t, os.Mkdir(filepath.Join(i.dir, "uploads"), 0o755))
	i.env = []string{
		"DATABASE_URL=" + i.URL, "DATABASE_SCHEMA=" + i.Schema, "VECTOR_DB=pgvector", "DATA_DIR=" + i.dir,
		"PRUNED_NATS_LISTEN=127.0.0.1:0", "PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0",
		"PRUNED_LOG_FORMAT=json",
	}
	return i
}

// pruned runs the program in this process and returns its exit status and what
// it printed.
func (i *installation) pruned(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), args, i.env, strings.NewReader(stdin), &out, &errs)
	t.Logf("pruned %s: %d\n%s%s", strings.Join(args, " "), status, out.String(), errs.String())
	return status, out.String(), errs.String()
}

func (i *installation) drain(t *testing.T) (summary consumer.Summary) {
	t.Helper()
	status, out, _ := i.pruned(t, "", "run", "--drain", "--output", "json")
	require.Zero(t, status)
	require.NoError(t, json.Unmarshal([]byte(out), &summary))
	return summary
}

func TestDrainDeletesWhatNothingUses(t *testing.T) {
	t.Parallel()
	i := install(t)
	seeded, err := repotest.Seed(t.Context(), i.Pool, repotest.SeedOptions{Files: 100, Orphans: 40, ChunksPerFile: 2, Vectors: repotest.VectorOptions{Dim: 3}, UploadDir: filepath.Join(i.dir, "uploads")})
	require.NoError(t, err)
	status, _, _ := i.pruned(t, strings.Join(append(seeded.Orphans, seeded.InUse...), "\n"), "publish")
	require.Zero(t, status)
	summary := i.drain(t)
	require.Equal(t, 40, summary.Deleted)
	require.Equal(t, 60, summary.Kept)
	require.EqualValues(t, 60, repotest.Value[int](t, i.Database, `SELECT count(*) FROM file`))
	require.Zero(t, repotest.Value[int](t, i.Database, `SELECT count(*) FROM document_chunk WHERE vmetadata->>'file_id' = ANY($1)`, seeded.Orphans))
	entries, err := os.ReadDir(filepath.Join(i.dir, "uploads"))
	require.NoError(t, err)
	require.Len(t, entries, 60)
	status, _, _ = i.pruned(t, "", "doctor")
	require.Zero(t, status)
	_, _, _ = i.pruned(t, "", "explain", seeded.InUse[0])
	_, _, _ = i.pruned(t, "", "explain", seeded.InUse[1], "-o", "json")
	_, _, _ = i.pruned(t, "", "ledger", seeded.Orphans[0], "-o", "json")
	_, _, _ = i.pruned(t, "", "dead", "list", "-o", "json")
}
