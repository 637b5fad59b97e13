//go:build e2e

package main

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

// TestE2ESQLite is the installation of most: one folder. The application is used,
// tells pruned by its webhook, then files go while the application works. It runs alone, since
// it tells what requests take.
func TestE2ESQLite(t *testing.T) {
	began := time.Now()
	dir := t.TempDir()
	b := startBeside(t, openwebui.Options{DataDir: dir, VectorDB: openwebui.Chroma})
	run := b.serve(t)
	lost := b.lose(t, b.chromaShelf())
	world := b.live(t)
	rest, waiting := split(world)
	b.await(t, rest)
	b.awaitCollections(t, world, b.chromaShelf())
	require.Eventually(t, func() bool { return b.asked(t) == len(lost.names()) }, signalTimeout, 100*pollEvery)
	b.told(t, world, lost)

	// Points go when Chroma writes to their collections.
	_, err := b.app.Remember(t.Context(), "The next memory")
	require.NoError(t, err)
	_, err = b.app.CreateKnowledge(t.Context(), "The next")
	require.NoError(t, err)
	b.awaitPoints(t, lost, b.chromaShelf())

	// What a knowledge base holds of files that are gone waits until Chroma writes
	// there, or starts.
	require.Len(t, waiting, 2)
	require.NotEqual(t, waiting[0].Knowledge, waiting[1].Knowledge)
	require.Eventually(t, func() bool { return b.waits(t) == len(waiting) }, signalTimeout, 100*pollEvery)
	added := b.add(t, waiting[0].Knowledge, 0)
	require.NoError(t, openwebui.VerifyPruned(t.Context(), b.app, openwebui.World{Gone: waiting[:1]}))
	require.ErrorContains(t, openwebui.VerifyPruned(t.Context(), b.app, world), waiting[1].ID)
	require.Zero(t, run.stop(t))
	require.NotContains(t, run.errs.String(), `"level":"error"`)

	require.NoError(t, b.app.Halt())
	files, _ := load()
	b.seedMany(t, waiting[0].Knowledge, files)
	require.NoError(t, b.app.Restart(t.Context()))
	world.Used = append(world.Used, added)
	require.NoError(t, openwebui.VerifyPruned(t.Context(), b.app, world))
	require.NoError(t, openwebui.Verify(t.Context(), b.app, world))
	t.Logf("more files, after %s", time.Since(began).Round(time.Second))

	made := b.work(t)
	world.Used = append(world.Used, made...)
	require.NoError(t, b.app.Restart(t.Context()))
	require.NoError(t, openwebui.Verify(t.Context(), b.app, world), "the restarted application finds its Chroma intact")
	require.NoError(t, openwebui.VerifyPruned(t.Context(), b.app, world))
	require.NoError(t, b.app.Halt())
	require.Equal(t, "ok", one[string](t, b.webui(t), `PRAGMA integrity_check`))
	require.Equal(t, "ok", one[string](t, b.chroma(t), `PRAGMA integrity_check`))
	b.noGhosts(t, world)
	t.Logf("in %s", time.Since(began).Round(time.Second))
}

// split tells files whose vectors in a knowledge base wait from the rest.
func split(world openwebui.World) (rest openwebui.World, waiting []openwebui.File) {
	rest = world
	rest.Gone = nil
	for _, file := range world.Gone {
		if file.Knowledge == "" {
			rest.Gone = append(rest.Gone, file)
		} else {
			waiting = append(waiting, file)
		}
	}
	return rest, waiting
}

// waits counts the files whose vectors wait for Chroma.
func (b *beside) waits(t *testing.T) int {
	return one[int](t, b.webui(t), `SELECT count(*) FROM pruned_tombstone WHERE kind = 'vectors' AND attempts > 0`)
}

// asked counts the points whose deletion waits for Chroma.
func (b *beside) asked(t *testing.T) int {
	return one[int](t, b.webui(t), `SELECT count(*) FROM pruned_tombstone WHERE kind = 'points' AND attempts > 0`)
}

// add uploads a file into a knowledge base.
func (b *beside) add(t *testing.T, knowledge string, number int) openwebui.File {
	t.Helper()
	file := b.upload(t, number)
	require.NoError(t, b.app.AddToKnowledge(t.Context(), knowledge, file.ID))
	file.Knowledge = knowledge
	return file
}

// noGhosts asks Chroma itself: every collection is one of a file in use or of a
// knowledge base, no hit is without a document, none names another file.
func (b *beside) noGhosts(t *testing.T, world openwebui.World) {
	t.Helper()
	server := startVectors(t, b.vectors())
	var expected []string
	for _, file := range world.Used {
		if file.Processed {
			expected = append(expected, openwebui.FileCollection(file.ID))
		}
		if file.Knowledge != "" && !slices.Contains(expected, file.Knowledge) {
			expected = append(expected, file.Knowledge)
		}
	}
	used := openwebui.IDs(world.Used)
	collections := server.collections(t)
	for _, name := range expected {
		require.Contains(t, collections, name)
		hits := server.query(t, collections[name])
		require.NotEmpty(t, hits)
		for _, hit := range hits {
			assert.NotEmpty(t, hit.document, "a hit without a document in %s", name)
			assert.Contains(t, used, hit.file, "a hit of a file that is gone in %s", name)
		}
	}
	for name := range collections {
		if _, own := ownerOf(name); own {
			assert.Contains(t, expected, name)
		}
	}
}

func (b *beside) vectors() string { return filepath.Join(b.dir, "vector_db") }

// webui and chroma open the application's files beside it.
func (b *beside) webui(t *testing.T) *sql.DB {
	return openBeside(t, filepath.Join(b.dir, "webui.db"), "wal")
}

func (b *beside) chroma(t *testing.T) *sql.DB {
	return openBeside(t, filepath.Join(b.vectors(), "chroma.sqlite3"), "delete")
}

func openBeside(t *testing.T, path, journal string) *sql.DB {
	t.Helper()
	db, err := testenv.OpenSQLite(path, journal)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db
}

func one[T any](t *testing.T, db *sql.DB, query string, args ...any) (v T) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Errorf("%s: %v", query, err)
	}
	return v
}
