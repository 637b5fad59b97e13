//go:build e2e

package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

const (
	// largeFile is more chunks than Chroma keeps out of its index on disk.
	largeFile = 1200
	usualFile = 3
	// sharedEvery of the files has a chunk in a knowledge base, too.
	sharedEvery = 20
)

// load says how many files go while the application works, and how often it works before:
// few show that no request fails, many what requests take.
func load() (files, restRounds int) {
	if testing.Short() {
		return 200, 5
	}
	return 2000, 25
}

// seedMany leaves many files that nothing uses, while the application does not
// run: rows, bytes, and vectors in a Chroma of its own version.
func (b *beside) seedMany(t *testing.T, knowledge string, files int) {
	t.Helper()
	began := time.Now()
	db := b.webui(t)
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	quick := testenv.MemoryDir(t) // Chroma waits for the disk with every collection
	require.NoError(t, os.CopyFS(quick, os.DirFS(b.vectors())))
	server := startVectors(t, quick)
	at := time.Now().Add(-time.Hour).Unix()
	for i := range files {
		id := testenv.NewID()
		path := filepath.Join(b.app.UploadDir(), testenv.StoredName(id, seededName))
		require.NoError(t, os.WriteFile(path, []byte("What "+id+" says."), 0o644))
		_, err := tx.ExecContext(t.Context(), `
INSERT INTO file (id, user_id, filename, path, hash, data, meta, created_at, updated_at)
VALUES (?, ?, 'document.txt', ?, ?, '{"status":"completed","content":"What it says."}', '{"name":"document.txt"}', ?, ?)`,
			id, testenv.UserID, path, id, at, at)
		require.NoError(t, err)
		chunks := usualFile
		if i == 0 {
			chunks = largeFile
		}
		server.insert(t, openwebui.FileCollection(id), id, chunks)
		if i%sharedEvery == 0 {
			server.insert(t, knowledge, id, 1)
		}
	}
	require.NoError(t, tx.Commit())
	server.Stop(t)
	require.NoError(t, os.RemoveAll(b.vectors()))
	require.NoError(t, os.CopyFS(b.vectors(), os.DirFS(quick)))
	t.Logf("seeded in %s", time.Since(began).Round(time.Second))
}

// work has the application work, first alone, then while pruned deletes the
// files. No request may fail. It returns the files that were made.
func (b *beside) work(t *testing.T) (made []openwebui.File) {
	t.Helper()
	webui, chroma := b.webui(t), b.chroma(t)
	doomed := func() (l left) {
		l.rows = one[int](t, webui, `SELECT count(*) FROM file WHERE user_id = ?`, testenv.UserID)
		l.chunks = one[int](t, chroma, `SELECT count(*) FROM embedding_metadata WHERE key = 'source' AND string_value = ?`, seededName)
		bytes, err := filepath.Glob(filepath.Join(b.app.UploadDir(), "*_"+seededName))
		require.NoError(t, err)
		l.bytes = len(bytes)
		return l
	}
	alone, during, idle := latencies{}, latencies{}, latencies{}
	files, restRounds := load()
	for range restRounds {
		made = append(made, b.round(t, len(made)+1, alone))
	}
	run := (&beside{b.with("PRUNED_ORPHAN_AGE=0"), b.app}).serve(t)
	within, cancel := context.WithTimeout(t.Context(), 4*signalTimeout)
	defer cancel()
	began, before := time.Now(), doomed()
	require.Equal(t, left{rows: files, bytes: files, chunks: before.chunks}, before, "the work takes place while all are there")
	// So many files in a knowledge base that links to none of them look as if links
	// were lost: a person says that they were not.
	held := b.sweep(t, exitHeld)
	require.Contains(t, held.Holds[0].Reason, "links were lost")
	b.sweep(t, exitDone, "--confirm", held.ID)
	// The end is that all is gone but what waits for Chroma, which was asked for each.
	for now := before; now != (left{chunks: files / sharedEvery}) || b.untried(t, webui) > 0; {
		require.NoError(t, within.Err(), "left: %+v", now)
		latest := latencies{}
		made = append(made, b.round(t, len(made)+1, latest))
		before, now = now, doomed()
		if now == before {
			idle.add(latest)
		} else {
			during.add(latest)
		}
	}
	t.Logf("%d files went in %s", files, time.Since(began).Round(100*time.Millisecond))
	for name := range alone {
		t.Logf("%s: median alone %s, while files go %s (%.2f times; longest %s, of %d), between %s", name, alone.median(name),
			during.median(name), float64(during.median(name))/float64(alone.median(name)), slices.Max(during[name]), len(during[name]), idle.median(name))
	}
	require.Zero(t, run.stop(t))
	require.NotContains(t, run.errs.String(), `"level":"error"`)
	return made
}

// untried counts what was not carried out yet, of which nothing is known.
func (b *beside) untried(t *testing.T, webui *sql.DB) int {
	return one[int](t, webui, `SELECT count(*) FROM pruned_tombstone WHERE attempts = 0`)
}

// round is what a person does: uploads a file, chats about it, looks for it.
func (b *beside) round(t *testing.T, number int, l latencies) (file openwebui.File) {
	t.Helper()
	l.time(t, "upload", func() error {
		file = b.upload(t, number)
		return nil
	})
	chat := openwebui.Chat{Title: file.Name, Files: []string{file.ID}}
	id, err := b.app.NewChat(t.Context(), chat)
	require.NoError(t, err)
	l.time(t, "chat save", func() error { return b.app.SaveChat(t.Context(), id, chat) })
	l.time(t, "query", func() error {
		texts, err := b.app.QueryCollection(t.Context(), openwebui.FileCollection(file.ID), file.Lead(), 1)
		require.Len(t, texts, 1)
		return err
	})
	return file
}

// upload uploads a file with a text of its own.
func (b *beside) upload(t *testing.T, number int) openwebui.File {
	t.Helper()
	file := openwebui.File{
		Name: fmt.Sprintf("work-%03d.txt", number), Text: fmt.Sprintf("Work%d goes on. Nothing waits.\n", number),
		Place: "at work", Processed: true,
	}
	var err error
	file.ID, err = b.app.Upload(t.Context(), file.Name, file.Text, true)
	require.NoError(t, err)
	return file
}

// latencies are how long requests took, by what they were.
type latencies map[string][]time.Duration

func (l latencies) time(t *testing.T, name string, do func() error) {
	t.Helper()
	began := time.Now()
	require.NoError(t, do(), name)
	l[name] = append(l[name], time.Since(began))
}

func (l latencies) add(o latencies) {
	for name, took := range o {
		l[name] = append(l[name], took...)
	}
}

func (l latencies) median(name string) time.Duration {
	if len(l[name]) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(l[name]))[len(l[name])/2]
}
