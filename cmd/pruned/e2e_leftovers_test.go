//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

// things are one of each kind that leaves something behind when it is deleted, or has
// grown old.
type things struct {
	text, base, file, chat, channel, message string
}

// ageless lets everything go that nothing uses, rows and old sound too.
var ageless = []string{"PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0", "PRUNED_ROWS=dangling", "PRUNED_CACHE_AGE=1h"}

var withChannels = map[string]string{"ENABLE_CHANNELS": "true"}

// TestE2ELeftoversSQLite and TestE2ELeftoversPostgreSQL: what is neither a file nor a
// collection in use goes, one of each kind: rows that nothing reaches, folders of collections
// that were dropped, old sound. What is in use, young, or of a plugin stays.
func TestE2ELeftoversSQLite(t *testing.T) {
	t.Parallel()
	b := startBeside(t, openwebui.Options{DataDir: t.TempDir(), VectorDB: openwebui.Chroma, Env: withChannels}, ageless...)
	l := b.leaveThings(t)
	require.NoError(t, b.app.Reindex(t.Context()))
	require.NoError(t, b.app.Halt())
	server := startVectors(t, b.vectors())
	server.insert(t, "my-plugin", testenv.NewID(), usualFile)
	server.Stop(t)
	require.NoError(t, b.app.Restart(t.Context()))

	for table := range linkedBy {
		require.Positive(t, b.countRows(t, l.left)[table], "without foreign keys all rows stay: %s", table)
	}
	folders, living := b.folders(t)
	require.Greater(t, len(folders), len(living)+2)
	b.sweepThings(t, l)
	folders, living = b.folders(t)
	require.ElementsMatch(t, living, folders)

	require.NoError(t, b.app.Restart(t.Context()))
	b.requireThings(t, l.kept)
	require.NoError(t, b.app.Halt())
	server = startVectors(t, b.vectors())
	hits := server.query(t, server.collections(t)["my-plugin"])
	require.Len(t, hits, usualFile, "a plugin's collection is not ours, whatever its chunks name")
}

func TestE2ELeftoversPostgreSQL(t *testing.T) {
	t.Parallel()
	d := testenv.New(t, testenv.Empty())
	b := startBeside(t, openwebui.Options{DatabaseURL: d.URL, DataDir: t.TempDir(), VectorDB: openwebui.PGVector, Env: withChannels},
		append([]string{"DATABASE_URL=" + d.URL}, ageless...)...)
	b.Database = d
	l := b.leaveThings(t)
	d.Exec(t, `INSERT INTO document_chunk (id, collection_name, text, vmetadata) SELECT 'of a plugin', 'my-plugin', text, vmetadata || '{"file_id": "`+testenv.NewID()+`"}' FROM document_chunk LIMIT 1`)
	require.NotEmpty(t, b.countRows(t, l.left), "some rows have no foreign key")
	b.sweepThings(t, l)
	require.Equal(t, []string{"of a plugin"}, testenv.Column[string](t, d, `SELECT id FROM document_chunk WHERE collection_name = 'my-plugin'`))
	require.Zero(t, testenv.Value[int](t, d, `SELECT count(*) FROM document_chunk WHERE vmetadata::text LIKE '%' || $1 || '%'`, l.left.file))
}

// leftThings are two of each kind, of which one was deleted, and sound that is old, or young.
type leftThings struct {
	kept, left things
	old, young []string
}

func (b *beside) leaveThings(t *testing.T) (l leftThings) {
	t.Helper()
	l.old = b.useAudio(t, "Nobody listens to this.")
	for _, path := range l.old {
		at := time.Now().Add(-2 * time.Hour)
		require.NoError(t, os.Chtimes(path, at, at))
	}
	l.kept, l.left = b.makeThings(t, "The harbour is green."), b.makeThings(t, "The lighthouse is red.")
	l.young = b.useAudio(t, l.kept.text)
	require.NoError(t, b.app.DeleteChat(t.Context(), l.left.chat))
	require.NoError(t, b.app.DeleteChannel(t.Context(), l.left.channel))
	require.NoError(t, b.app.DeleteKnowledge(t.Context(), l.left.base))
	return l
}

// sweepThings removes what was left, and sees that all else is there.
func (b *beside) sweepThings(t *testing.T, l leftThings) {
	t.Helper()
	rows := b.countRows(t, l.kept)
	for table := range linkedBy {
		require.Positive(t, rows[table], table)
	}
	for range 2 { // files in what went are unused only then
		b.must(t, "sweep")
		b.drain(t)
	}
	require.Equal(t, rows, b.countRows(t, l.kept))
	require.Empty(t, b.countRows(t, l.left))
	requireThere(t, false, l.old)
	requireThere(t, true, l.young)
	_, err := b.app.GetFile(t.Context(), l.left.file)
	require.ErrorContains(t, err, "404")
	b.requireThings(t, l.kept)
}

// makeThings makes one of each kind, all with the same file, but for the one that was
// uploaded to the channel.
func (b *beside) makeThings(t *testing.T, text string) (made things) {
	t.Helper()
	ctx, app := t.Context(), b.app
	must := func(id string, err error) string {
		t.Helper()
		require.NoError(t, err)
		return id
	}
	made.text = text
	made.file = must(app.Upload(ctx, "a.txt", text, true))
	made.base = must(app.CreateKnowledge(ctx, text))
	must(app.CreateDirectory(ctx, made.base, "a directory"))
	require.NoError(t, app.AddToKnowledge(ctx, made.base, made.file))
	made.chat = must(app.Ask(ctx, openwebui.Chat{Title: text, Files: []string{made.file}}))
	made.channel = must(app.CreateChannel(ctx, "a channel"))
	must(app.CreateChannelWebhook(ctx, made.channel))
	made.message = must(app.Post(ctx, made.channel, text, must(app.UploadToChannel(ctx, made.channel, "b.txt", text))))
	require.NoError(t, app.React(ctx, made.channel, made.message))
	return made
}

// requireThings asks the application for all of them.
func (b *beside) requireThings(t *testing.T, want things) {
	t.Helper()
	ctx := t.Context()
	content, err := b.app.FileContent(ctx, want.file)
	require.NoError(t, err)
	require.Equal(t, want.text, string(content))
	found, err := b.app.QueryCollection(ctx, want.base, want.text, 5)
	require.NoError(t, err)
	require.Equal(t, []string{want.text}, found)
	chat, err := b.app.GetChat(ctx, want.chat)
	require.NoError(t, err)
	require.Contains(t, string(chat), want.file)
	messages, err := b.app.ChannelMessages(ctx, want.channel)
	require.NoError(t, err)
	require.Len(t, messages, 1)
	require.Equal(t, want.text, messages[0].Content)
	require.Len(t, messages[0].Reactions, 1)
	b.useAudio(t, want.text)
}

// useAudio has a text spoken and written down, and returns the files that this left in the
// cache: of each a sound and what the service said about it.
func (b *beside) useAudio(t *testing.T, text string) (made []string) {
	t.Helper()
	before := b.cached(t)
	sound, err := b.app.Speak(t.Context(), text)
	require.NoError(t, err)
	require.Equal(t, openwebui.Sound, string(sound))
	require.NoError(t, b.app.Transcribe(t.Context(), text))
	for path := range b.cached(t) {
		if !before[path] {
			made = append(made, path)
		}
	}
	return made
}

func (b *beside) cached(t *testing.T) map[string]bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(b.dir, "cache", "audio", "*", "*"))
	require.NoError(t, err)
	found := map[string]bool{}
	for _, path := range paths {
		found[path] = true
	}
	return found
}

func requireThere(t *testing.T, want bool, paths []string) {
	t.Helper()
	require.GreaterOrEqual(t, len(paths), 4, "without Chroma it also notes of what type a sound is")
	for _, path := range paths {
		_, err := os.Lstat(path)
		require.Equal(t, want, err == nil, path)
	}
}

// linkedBy are the tables with rows that stay when what they belong to is deleted, and the
// column that names it.
var linkedBy = map[string]string{
	"message": "channel_id", "message_reaction": "message_id", "channel_member": "channel_id", "channel_webhook": "channel_id",
	"channel_file": "channel_id", "chat_file": "chat_id", "knowledge_directory": "knowledge_id", "knowledge_file": "knowledge_id",
}

// countRows counts, by table, the rows that belong to these things.
func (b *beside) countRows(t *testing.T, of things) map[string]int {
	ids := map[string]string{"channel_id": of.channel, "message_id": of.message, "chat_id": of.chat, "knowledge_id": of.base}
	counts := map[string]int{}
	for table, column := range linkedBy {
		if n := b.countRowsOf(t, table, column, ids[column]); n > 0 {
			counts[table] = n
		}
	}
	return counts
}

func (b *beside) countRowsOf(t *testing.T, table, column, id string) int {
	t.Helper()
	if b.Database != nil {
		return testenv.Value[int](t, b.Database, `SELECT count(*) FROM `+table+` WHERE `+column+` = $1`, id)
	}
	return one[int](t, b.webui(t), `SELECT count(*) FROM `+table+` WHERE `+column+` = ?1`, id)
}

// folders are those of Chroma's indexes, and those of them that a collection has.
func (b *beside) folders(t *testing.T) (all, living []string) {
	t.Helper()
	entries, err := os.ReadDir(b.vectors())
	require.NoError(t, err)
	for _, entry := range entries {
		if uuid.Validate(entry.Name()) == nil {
			all = append(all, entry.Name())
		}
	}
	return all, list(t, b, `SELECT s.id FROM segments s JOIN collections c ON c.id = s.collection WHERE s.scope = 'VECTOR'`)
}
