package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"pruned/repo/testenv"
)

// TestIndexFollowsTheApplication: whatever an application writes, in whatever form
// it is stored, after each pass the index says the same as every row of every
// table.
func TestIndexFollowsTheApplication(t *testing.T) {
	t.Parallel()
	templates := map[int][]byte{}
	for _, size := range worldPageSizes {
		templates[size] = makeTemplate(t, size)
	}
	rapid.Check(t, func(rt *rapid.T) {
		journal := rapid.SampledFrom([]string{"wal", "wal", "wal", "delete"}).Draw(rt, "journal")
		w := newWorld(t, rt, journal,
			templates[rapid.SampledFrom(worldPageSizes).Draw(rt, "page size")])
		defer w.close()
		rt.Repeat(map[string]func(*rapid.T){
			"insert a row":              w.insert,
			"change the end of a row":   w.changeEnd,
			"rewrite a row":             w.rewrite,
			"delete a row":              w.delete,
			"delete a chat, or make it": w.parent,
			"many at once":              w.many,
			"upload":                    w.upload,
			"choose an id":              w.chooseID,
			"delete a file":             w.deleteFile,
			"restore a file":            w.restoreFile,
			"checkpoint":                w.checkpoint,
			"vacuum":                    w.vacuum,
			"add a column":              w.addColumn,
			"pass":                      func(rt *rapid.T) { w.pass(rt) },
			"look":                      w.look,
		})
		require.NoError(rt, w.db.IndexAll(context.Background(), nil))
		require.Empty(rt, w.db.index.late)
		w.compare(rt)
		w.requireFollows(rt, journal == "wal")
	})
}

type world struct {
	t      *testing.T
	path   string
	app    *sql.DB
	db     *DB
	files  []string
	notes  []string
	column int
}

// worldPageSizes are the sizes of pages of the databases.
var worldPageSizes = []int{512, 4096, 65536}

// makeTemplate makes an application's database with our tables and pages of a size,
// once for all worlds: to make one takes longer than most of them.
func makeTemplate(t *testing.T, pageSize int) (content []byte) {
	t.Helper()
	path, ctx := filepath.Join(t.TempDir(), "template.db"), context.Background()
	require.NoError(t, testenv.CopySQLite(ctx, path))
	app, err := testenv.OpenSQLite(path, "delete")
	require.NoError(t, err)
	defer app.Close()
	app.SetMaxOpenConns(1) // a page size takes effect on the connection that asked for it
	for _, query := range []string{fmt.Sprintf("PRAGMA page_size = %d", pageSize), "VACUUM"} {
		_, err := app.Exec(query)
		require.NoError(t, err)
	}
	db, err := Open(ctx, Options{Path: path})
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.Migrate(ctx))
	content, err = os.ReadFile(path)
	require.NoError(t, err)
	return content
}

// newWorld opens a copy of a template. Its application leaves it to the system when to
// write to the disk: no machine fails here.
func newWorld(t *testing.T, rt *rapid.T, journal string, template []byte) *world {
	w := &world{t: t, path: filepath.Join(t.TempDir(), uuid.NewString()+".db")}
	ctx := context.Background()
	require.NoError(rt, os.WriteFile(w.path, template, 0o600))
	app, err := testenv.OpenSQLite(w.path, journal)
	require.NoError(rt, err)
	app.SetMaxOpenConns(1)
	_, err = app.Exec(`PRAGMA synchronous = OFF`)
	require.NoError(rt, err)
	w.app = app
	w.db, err = Open(ctx, Options{Path: w.path})
	require.NoError(rt, err)
	require.NoError(rt, w.db.Migrate(ctx))
	require.NoError(rt, w.db.IndexAll(ctx, nil))
	for range 5 {
		w.upload(rt)
	}
	return w
}

func (w *world) close() {
	w.db.Close()
	_ = w.app.Close()
	for _, name := range []string{w.path, w.path + "-wal", w.path + "-shm"} {
		_ = os.Remove(name)
	}
}

func (w *world) exec(rt *rapid.T, query string, args ...any) {
	_, err := w.app.Exec(query, args...)
	require.NoError(rt, err, query)
}

func (w *world) file(rt *rapid.T) string { return rapid.SampledFrom(w.files).Draw(rt, "file") }

// text ends with the mention of a file. Its length decides in how many pages it is
// stored.
func (w *world) text(rt *rapid.T) string {
	size := rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(300, 20_000)).Draw(rt, "size")
	return strings.Repeat("x", size) + w.file(rt)
}

func (w *world) upload(rt *rapid.T) {
	id := uuid.NewString()
	w.exec(rt, `INSERT INTO file (id, user_id, filename, created_at, data) VALUES (?, 'u', 'f', ?, ?)`, id, time.Now().Unix(),
		strings.Repeat("y", rapid.IntRange(0, 5000).Draw(rt, "content")))
	w.files = append(w.files, id)
}

func (w *world) deleteFile(rt *rapid.T) {
	w.exec(rt, `DELETE FROM file WHERE id = ?`, w.file(rt))
}

// chooseID: rows may mention a file that has no row yet.
func (w *world) chooseID(*rapid.T) { w.files = append(w.files, uuid.NewString()) }

// restoreFile brings the row of a file that older rows may mention, or brings it
// back.
func (w *world) restoreFile(rt *rapid.T) {
	made := rapid.SampledFrom([]int64{1, time.Now().Unix()}).Draw(rt, "made")
	w.exec(rt, `INSERT OR IGNORE INTO file (id, user_id, filename, created_at) VALUES (?, 'u', 'f', ?)`, w.file(rt), made)
}

func (w *world) insert(rt *rapid.T) {
	id := uuid.NewString()
	switch rapid.IntRange(0, 2).Draw(rt, "table") {
	case 0:
		w.exec(rt, `INSERT INTO note (id, user_id, title, data, created_at, updated_at) VALUES (?, 'u', ?, ?, 1, 1)`, id, w.file(rt), w.text(rt))
		w.notes = append(w.notes, id)
	case 1:
		w.exec(rt, `INSERT INTO chat_message (id, chat_id, role, content) VALUES (?, ?, 'user', ?)`, id, w.chat(rt), w.text(rt))
	case 2:
		w.exec(rt, `INSERT OR IGNORE INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at) VALUES (?, 'u', ?, ?, 1, 1)`, id, w.chat(rt), w.file(rt))
	}
}

func (w *world) chat(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"chat-1", "chat-2"}).Draw(rt, "chat")
}

func (w *world) parent(rt *rapid.T) {
	chat := w.chat(rt)
	if rapid.Bool().Draw(rt, "delete") {
		w.exec(rt, `DELETE FROM chat WHERE id = ?`, chat)
	} else {
		w.exec(rt, `INSERT OR IGNORE INTO chat (id, user_id, chat, archived) VALUES (?, 'u', ?, 0)`, chat, w.text(rt))
	}
}

func (w *world) note(rt *rapid.T) string {
	if len(w.notes) == 0 {
		return "none"
	}
	return rapid.SampledFrom(w.notes).Draw(rt, "note")
}

// changeEnd leaves the length as it is, so that SQLite writes only the last pages.
func (w *world) changeEnd(rt *rapid.T) {
	w.exec(rt, `UPDATE note SET data = substr(data, 1, length(data) - 36) || ? WHERE id = ?`, w.file(rt), w.note(rt))
}

func (w *world) rewrite(rt *rapid.T) {
	w.exec(rt, `UPDATE note SET data = ?, title = 't' WHERE id = ?`, w.text(rt), w.note(rt))
}

func (w *world) delete(rt *rapid.T) {
	w.exec(rt, `DELETE FROM note WHERE id = ?`, w.note(rt))
}

func (w *world) many(rt *rapid.T) {
	tx, err := w.app.Begin()
	require.NoError(rt, err)
	for range rapid.IntRange(1, 60).Draw(rt, "rows") {
		_, err := tx.Exec(`INSERT INTO prompt (id, user_id, name, content, created_at, updated_at) VALUES (?, 'u', 'n', ?, 1, 1)`, uuid.NewString(), w.file(rt))
		require.NoError(rt, err)
	}
	if rapid.Bool().Draw(rt, "commit") {
		require.NoError(rt, tx.Commit())
	} else {
		require.NoError(rt, tx.Rollback())
	}
}

func (w *world) checkpoint(rt *rapid.T) {
	mode := rapid.SampledFrom([]string{"PASSIVE", "FULL", "RESTART", "TRUNCATE"}).Draw(rt, "mode")
	if rapid.Bool().Draw(rt, "without a pin") {
		w.endSnapshot()
	} else {
		mode = "PASSIVE" // the others would wait for it
	}
	w.exec(rt, `PRAGMA wal_checkpoint(`+mode+`)`)
}

func (w *world) endSnapshot() {
	w.db.mutex <- struct{}{}
	w.db.snapshot.endRead(context.Background())
	w.db.mutex.unlock()
}

func (w *world) emptyLog(rt *rapid.T) {
	w.endSnapshot()
	w.exec(rt, `PRAGMA wal_checkpoint(TRUNCATE)`)
}

func (w *world) vacuum(rt *rapid.T) {
	if rapid.IntRange(0, 9).Draw(rt, "seldom") == 0 {
		w.exec(rt, `VACUUM`)
	}
}

func (w *world) addColumn(rt *rapid.T) {
	if rapid.IntRange(0, 9).Draw(rt, "seldom") == 0 {
		w.column++
		w.exec(rt, fmt.Sprintf(`ALTER TABLE knowledge ADD COLUMN extra%d TEXT DEFAULT '%s'`, w.column, w.file(rt)))
	}
}

// pass returns whether it read the pages that changed, and no others.
func (w *world) pass(rt *rapid.T) (changedOnly bool) {
	before, reading := w.db.index, w.db.index.pass
	require.NoError(rt, w.db.IndexChanges(context.Background()))
	w.compare(rt)
	return w.db.index == before && w.db.index.pass > reading
}

// requireFollows: a pass reads what changed alone where there is a log that was not
// begun anew since. It is begun anew only where nobody reads from it: not after a pass
// over everything, also where that found it empty.
func (w *world) requireFollows(rt *rapid.T, log bool) {
	w.exec(rt, `PRAGMA wal_autocheckpoint = 0`)
	w.upload(rt)
	if rapid.Bool().Draw(rt, "emptied") {
		w.emptyLog(rt)
	}
	w.pass(rt)
	w.upload(rt)
	require.Equal(rt, log, w.pass(rt))
}

// look is a pass within a transaction.
func (w *world) look(rt *rapid.T) {
	tx := &tx{db: w.db}
	require.NoError(rt, tx.lockForSearch(context.Background()))
	tx.rollbackUncommitted(context.Background())
	w.compare(rt)
}

func (w *world) compare(rt *rapid.T) {
	files, err := queryColumn[string](context.Background(), w.app, `SELECT id FROM file`)
	require.NoError(rt, err)
	files = slices.DeleteFunc(files, func(id string) bool { return !w.db.index.isIndexed(id) })
	index, err := w.db.index.findLiving(context.Background(), w.app, files)
	require.NoError(rt, err)
	got := slices.Sorted(maps.Keys(index))
	var want []string
	for _, id := range files {
		var n int
		err := w.app.QueryRow(mentionedSQL(w.column), id).Scan(&n)
		require.NoError(rt, err)
		if n > 0 {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	require.Equal(rt, want, got)
}

func mentionedSQL(columns int) string {
	query := `SELECT (SELECT count(*) FROM note WHERE instr(coalesce(data, '') || coalesce(title, ''), ?1))
		+ (SELECT count(*) FROM prompt WHERE instr(content, ?1))
		+ (SELECT count(*) FROM chat WHERE instr(coalesce(chat, ''), ?1))
		+ (SELECT count(*) FROM chat_message WHERE instr(content, ?1) AND chat_id IN (SELECT id FROM chat))
		+ (SELECT count(*) FROM chat_file WHERE file_id = ?1 AND chat_id IN (SELECT id FROM chat))`
	for i := 1; i <= columns; i++ {
		query += fmt.Sprintf(` + (SELECT count(*) FROM pragma_table_xinfo('knowledge') WHERE name = 'extra%d' AND instr(dflt_value, ?1))`, i)
	}
	return query
}
