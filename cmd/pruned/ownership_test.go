package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/cmd/pruned/demo"
	"pruned/repo/testenv"
)

// theirs are the names of the bytes in a folder, but for what pruned leaves there.
func theirs(t *testing.T, uploads string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(uploads, "[^.]*"))
	require.NoError(t, err)
	return names
}

// DATABASE_URL of one installation with DATA_DIR of another, which is small: neither
// bytes nor vectors of those that no row knows go, by sweeps or events.
func TestOwnershipOfAnotherInstallationsDataFolder(t *testing.T) {
	t.Parallel()
	a := install(t)
	seeded := a.seed(t, 30, 1)
	world, err := demo.Make(t.Context(), t.TempDir(), 100)
	require.NoError(t, err)
	before := holdings(t, world)
	a = a.with("DATA_DIR="+world.Dir, "VECTOR_DB=chroma", "PRUNED_MAX_FRACTION=1", "PRUNED_DATA_DIR="+t.TempDir())
	held := a.sweep(t, exitHeld)
	require.Len(t, held.Holds, 3)
	for _, h := range held.Holds {
		reason := "only 0 of the"
		if h.Direction == "collection" {
			reason = "not known yet whether chroma"
		}
		require.Contains(t, h.Reason, reason)
	}
	a.publish(t, append([]string{world.Files[0].ID, seeded.Orphans[0]}, seeded.InUse[0])...)
	a.drain(t)
	require.Zero(t, a.left(t, seeded.Orphans...).rows, "the row is ours")
	require.Equal(t, before, holdings(t, world))
	d := ask[diagnosis](t, a, "doctor")
	require.Contains(t, d.of(t, "store").Detail, "not bound")
	require.Equal(t, 29, a.left(t, seeded.InUse...).rows)
}

// A copy of a database beside the original's upload folder, under a new PRUNED_STREAM
// as a refusal may advise: what only the original has stays, and so does what both
// have.
func TestOwnershipOfACopiedDatabaseBesideTheOriginalsFolder(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small)).with("PRUNED_MAX_FRACTION=1")
	seeded := i.seed(t, 40, 1)
	i.sweep(t, exitDone)
	i.drain(t)

	server := i.Server
	i.Pool.Close()
	url, err := server.CreateDatabase(t.Context(), i.Name)
	require.NoError(t, err)
	copied := *i
	copied.env = append(append([]string{}, i.env...), "DATABASE_URL="+url, "PRUNED_STREAM=COPY", "PRUNED_DATA_DIR="+t.TempDir())
	since := testenv.NewID() // uploaded to the original after the copy was made
	testenv.WriteBytes(t, i.uploads(), since, "document.pdf")
	before := theirs(t, i.uploads())

	held := copied.sweep(t, exitHeld)
	require.Len(t, held.Holds, 1)
	require.Contains(t, held.Holds[0].Reason, "marked as another installation's")
	copied.publish(t, since, seeded.Orphans[0])
	copied.drain(t)
	require.Equal(t, before, theirs(t, i.uploads()))
	status, out, _ := copied.pruned(t, "", "doctor")
	require.NotZero(t, status)
	require.Contains(t, out, "marked as another installation's")
	require.NotContains(t, out, "WRONG  vectors")
}

// Two installations in one database, as DATABASE_SCHEMA makes them, share the table of
// chunks in public.
func TestOwnershipOfChunksOfAnotherSchema(t *testing.T) {
	t.Parallel()
	b := install(t, testenv.InSchema(), testenv.Vectors(small))
	seeded := b.seed(t, 12, 0)
	require.NotEqual(t, "public", b.Schema)
	b.Exec(t, `CREATE SCHEMA a`)
	for _, table := range testenv.Column[string](t, b.Database, `SELECT tablename::text FROM pg_tables WHERE schemaname = $1`, b.Schema) {
		b.Exec(t, `CREATE TABLE a."`+table+`" (LIKE "`+b.Schema+`"."`+table+`" INCLUDING ALL)`)
	}
	b.Exec(t, `INSERT INTO a.alembic_version SELECT * FROM alembic_version`)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "uploads"), 0o755))
	a := b.with("DATABASE_SCHEMA=a", "DATA_DIR="+dir, "PRUNED_MAX_FRACTION=1")
	own := testenv.NewID()
	a.Exec(t, `INSERT INTO a.file (id, user_id, filename, path, created_at, updated_at) VALUES ($1, 'u', 'f', '', 1, 1)`, own)
	testenv.InsertChunks(t, b.Pool, testenv.Chunks{FileID: own, Vectors: small})

	held := a.sweep(t, exitHeld)
	require.Len(t, held.Holds, 1)
	require.Contains(t, held.Holds[0].Reason, "schema "+b.Schema)
	a.publish(t, append(seeded.InUse, own)...)
	a.drain(t)
	require.Zero(t, testenv.Value[int](t, b.Database, `SELECT count(*) FROM a.file`))
	require.Equal(t, seeded.Chunks, b.left(t, seeded.InUse...).chunks)
	_, out, _ := a.pruned(t, "", "doctor") // tables made by LIKE have no foreign keys, which it tells as well
	require.Contains(t, out, "another installation in schema "+b.Schema)
}

// What plugins keep in the same store is told, and left.
func TestOwnershipOfCollectionsOfPluginsIsTold(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Vectors(small))
	i.seed(t, 10, 1)
	for collection, file := range map[string]string{"file-search-cache": "search-cache", "company-wiki": testenv.NewID()} {
		testenv.InsertChunks(t, i.Pool, testenv.Chunks{Collection: collection, FileID: file, Vectors: small})
	}
	_, out, errs := i.pruned(t, "", "sweep")
	require.Contains(t, out, "company-wiki, file-search-cache")
	require.NotContains(t, errs, "company-wiki", "a short command is quiet")
	_, _, errs = i.pruned(t, "", "sweep", "-v")
	require.Contains(t, errs, "company-wiki, file-search-cache")
	i.publish(t, "search-cache")
	i.drain(t)
	require.Equal(t, 2, testenv.Value[int](t, i.Database, `SELECT count(*) FROM document_chunk WHERE collection_name IN ('file-search-cache', 'company-wiki')`))
	f := ask[diagnosis](t, i, "doctor").of(t, "collections")
	require.True(t, f.OK)
	require.Contains(t, f.Detail, "company-wiki, file-search-cache")
}
