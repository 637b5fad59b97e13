//go:build e2e

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

// TestE2EMilvusAndS3: a running Open WebUI keeps its vectors in a database of Milvus, in each
// of its two modes, and its uploads in a bucket, below a prefix, with copies in its folder.
// Nothing goes before somebody has said whose they are; then all that nothing uses, and the
// application answers on everything else. A collection of the server's takes it two seconds
// to make: where each of its own is one, it is used briefly.
func TestE2EMilvusAndS3(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]struct {
		multitenancy bool
		live         func(*beside, *testing.T) openwebui.World
	}{
		"a collection each": {false, (*beside).liveBriefly},
		"multitenancy":      {true, (*beside).live},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			b, stores := startBesideServers(t, mode.multitenancy)
			shelf := stores.shelf(b)
			lost := b.lose(t, shelf)
			world := mode.live(b, t)
			require.NoError(t, openwebui.Verify(t.Context(), b.app, world))
			stores.pruneAll(t, b)
			b.await(t, world)
			b.awaitCollections(t, world, shelf)
			b.awaitPoints(t, lost, shelf)
			b.told(t, world, lost)
			stores.requireOnly(t, b, world)
			t.Logf("in %s", time.Since(began).Round(time.Second))
		})
	}
}

// servers are those of one installation: a database of vectors and a bucket.
type servers struct {
	vectors *testenv.MilvusData
	bucket  testenv.Bucket
}

const (
	e2ePrefix  = "team/"
	e2eForeign = "team2/foreign.txt"
)

func startBesideServers(t *testing.T, multitenancy bool) (*beside, servers) {
	t.Helper()
	ctx, name := t.Context(), "b"+strings.ReplaceAll(uuid.NewString(), "-", "")
	d := testenv.New(t, testenv.Empty())
	var s servers
	var err error
	s.bucket, err = testenv.SharedBytes(t, "s3").MakeBucket(ctx, name)
	require.NoError(t, err)
	require.NoError(t, s.bucket.Put(ctx, e2eForeign, []byte("another's")))
	milvus := testenv.SharedMilvus(t)
	s.vectors, err = testenv.OpenMilvus(milvus.URL(), name, multitenancy)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.vectors.Close()) })
	require.NoError(t, testenv.MilvusDone(s.vectors.CreateDatabase(ctx, &milvuspb.CreateDatabaseRequest{DbName: name})))

	settings := append(s.bucket.Settings(), "S3_KEY_PREFIX="+strings.TrimSuffix(e2ePrefix, "/"), "MILVUS_URI="+milvus.URL(), "MILVUS_DB="+name,
		fmt.Sprint("ENABLE_MILVUS_MULTITENANCY_MODE=", multitenancy), "S3_REGION_NAME=us-east-1", "S3_ADDRESSING_STYLE=path")
	env := map[string]string{}
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		env[name] = value
	}
	b := startBeside(t, openwebui.Options{DatabaseURL: d.URL, DataDir: t.TempDir(), VectorDB: openwebui.Milvus, Env: env},
		append(settings, "DATABASE_URL="+d.URL, "PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0")...)
	b.Database = d
	return b, s
}

// liveBriefly has the application used in the ways that leave something behind.
func (b *beside) liveBriefly(t *testing.T) (world openwebui.World) {
	t.Helper()
	ctx, app := t.Context(), b.app
	base, err := app.CreateKnowledge(ctx, "The shelf")
	require.NoError(t, err)
	deletedBase, err := app.CreateKnowledge(ctx, "The deleted shelf")
	require.NoError(t, err)
	upload := func(name, text, knowledge string) openwebui.File {
		id, err := app.Upload(ctx, name, text, true)
		require.NoError(t, err)
		if knowledge != "" {
			require.NoError(t, app.AddToKnowledge(ctx, knowledge, id))
		}
		return openwebui.File{ID: id, Name: name, Text: text, Place: name, Processed: true, Knowledge: knowledge}
	}
	attach := func(file openwebui.File) string {
		chat, err := app.NewChat(ctx, openwebui.Chat{Title: file.Name, Files: []string{file.ID}})
		require.NoError(t, err)
		return chat
	}
	attached, shelved := upload("report #1.txt", "The harbour is green.", ""), upload("100%41 ü.txt", "The lighthouse is red.", base)
	attach(attached)
	world.Used = []openwebui.File{attached, shelved}

	detached, inDeleted, takenOut := upload("report #2.txt", "The ferry is late.", ""), upload("plain.txt", "The mill grinds barley.", deletedBase), upload("out.txt", "The quarry is deep.", base)
	require.NoError(t, app.DeleteChat(ctx, attach(detached)))
	require.NoError(t, app.DeleteKnowledge(ctx, deletedBase))
	require.NoError(t, app.RemoveFromKnowledge(ctx, base, takenOut.ID, false))
	inDeleted.Knowledge, takenOut.Knowledge = "", ""
	world.Unused = []openwebui.File{detached, inDeleted, takenOut}

	deleted := upload("deleted.txt", "The orchard is old.", base)
	require.NoError(t, app.DeleteFile(ctx, deleted.ID))
	world.Gone = []openwebui.File{deleted}
	pasted, err := app.Paste(ctx, "The river is wide.", "")
	require.NoError(t, err)
	world.UnusedCollections = []openwebui.Collection{{Name: pasted, Place: "pasted, and nowhere sent"}}
	return world
}

// pruneAll sweeps and drains, before and after somebody has said of each of the stores that
// it is this installation's: in the bucket something is found once rows are gone. The last
// sweep finds what is unused only then.
func (s servers) pruneAll(t *testing.T, b *beside) {
	t.Helper()
	objects, rows := s.objects(t), s.rows(t)
	held := b.sweep(t, exitHeld)
	b.drain(t)
	require.Equal(t, objects, s.objects(t))
	require.Equal(t, rows, s.rows(t))
	for _, status := range []int{exitHeld, exitDone} {
		held = b.sweep(t, status, "--confirm", held.ID)
		b.drain(t)
	}
	b.must(t, "sweep")
	b.drain(t)
}

// requireOnly looks at rows, vectors, objects and their copies for what nothing uses.
func (s servers) requireOnly(t *testing.T, b *beside, world openwebui.World) {
	t.Helper()
	used := openwebui.IDs(world.Used)
	require.Equal(t, used, testenv.Column[string](t, b.Database, `SELECT id FROM file ORDER BY id COLLATE "C"`))
	for _, row := range s.rows(t) {
		if row.File() != "" {
			require.Contains(t, used, row.File(), "in %s", row.Collection)
		}
	}
	ids := func(names []string) (list []string) {
		for _, name := range names {
			id, _, _ := strings.Cut(name, "_")
			list = append(list, id)
		}
		return list
	}
	require.ElementsMatch(t, append(used, e2eForeign), ids(s.objects(t)))
	require.ElementsMatch(t, used, ids(b.copies(t)))
	require.Zero(t, testenv.Value[int](t, b.Database, `SELECT count(*) FROM pruned.tombstone`))
}

// objects are the keys in the bucket, those of the application without its prefix.
func (s servers) objects(t *testing.T) (names []string) {
	t.Helper()
	keys, err := s.bucket.Keys(t.Context())
	require.NoError(t, err)
	for _, key := range keys {
		names = append(names, strings.TrimPrefix(key, e2ePrefix))
	}
	return names
}

// rows are those of all collections on the server.
func (s servers) rows(t *testing.T) (rows []testenv.MilvusRow) {
	t.Helper()
	names, err := s.vectors.Collections(t.Context())
	require.NoError(t, err)
	for _, name := range slices.Sorted(slices.Values(names)) {
		some, err := s.vectors.Rows(t.Context(), name)
		require.NoError(t, err)
		rows = append(rows, some...)
	}
	return rows
}

func (s servers) shelf(b *beside) shelf {
	return shelf{
		names: func(t *testing.T) []string {
			names := map[string]bool{}
			if s.vectors.Multitenancy {
				for _, row := range s.rows(t) {
					names[row.Collection] = true
				}
				return slices.Collect(maps.Keys(names))
			}
			there, err := s.vectors.Collections(t.Context())
			require.NoError(t, err)
			for _, name := range there { // the application's have no underscores
				names[strings.ReplaceAll(strings.TrimPrefix(name, "open_webui_"), "_", "-")] = true
			}
			return slices.Collect(maps.Keys(names))
		},
		points: func(t *testing.T, collection string) (ids []string) {
			rows, err := s.vectors.Rows(t.Context(), s.vectors.ServerName(collection))
			require.NoError(t, err)
			for _, row := range rows {
				if !s.vectors.Multitenancy || row.Collection == collection {
					ids = append(ids, row.ID)
				}
			}
			return ids
		},
		exec: func(t *testing.T, sql string, id string) { b.Exec(t, sql, id) },
	}
}
