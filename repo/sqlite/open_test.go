package sqlite_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/sqlite"
	"pruned/repo/testenv"
)

// refused says that a file is refused in a sentence, and was not touched.
func refused(t *testing.T, path string, words ...string) {
	t.Helper()
	before := digest(t, path)
	_, err := sqlite.Open(context.Background(), sqlite.Options{Path: path})
	require.Error(t, err)
	require.Equal(t, repo.Environment, repo.KindOf(err))
	for _, word := range append(words, path) {
		require.ErrorContains(t, err, word)
	}
	require.Equal(t, before, digest(t, path))
	require.NoFileExists(t, path+"-journal")
}

func digest(t *testing.T, path string) (sum [32]byte) {
	t.Helper()
	content, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return sum
	}
	require.NoError(t, err)
	return sha256.Sum256(content)
}

func write(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "webui.db")
	require.NoError(t, os.WriteFile(path, content, 0o644))
	return path
}

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	refused(t, filepath.Join(t.TempDir(), "webui.db"), "does not exist")
	refused(t, write(t, nil), "empty")
	refused(t, write(t, []byte("it is a text")), "not a SQLite database")
	// An encrypted database is noise from its first byte on.
	noise := make([]byte, 64<<10)
	_, _ = rand.Read(noise)
	refused(t, write(t, noise), "encrypted", "sqlcipher")
}

func TestOpenRefusesWhatIsNotTheApplications(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, word string }{
		{`DROP TABLE alembic_version`, "alembic_version"},
		{`DROP TABLE file`, "no table file"},
		{`ALTER TABLE file DROP COLUMN path`, "file.path"},
	} {
		d := testenv.NewSQLiteRollback(t)
		d.Exec(t, c.query)
		require.NoError(t, d.DB.Close())
		refused(t, d.Path, c.word)
	}
}

func TestOpenRefusesWhatIsCorrupt(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLiteRollback(t)
	d.Exec(t, `UPDATE alembic_version SET version_num = version_num`)
	require.NoError(t, d.DB.Close())
	content, err := os.ReadFile(d.Path)
	require.NoError(t, err)
	for i := 200; i < 4096; i++ {
		content[i] = 0xff // the schema
	}
	refused(t, write(t, content), "corrupt")
}

func TestOpenRefusesWhatIsLocked(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLiteRollback(t)
	conn, err := d.DB.Conn(context.Background())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(context.Background(), `BEGIN EXCLUSIVE`)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err = sqlite.Open(ctx, sqlite.Options{Path: d.Path})
	require.ErrorContains(t, err, "locked")
	require.Equal(t, repo.Environment, repo.KindOf(err))
	_, err = conn.ExecContext(context.Background(), `ROLLBACK`)
	require.NoError(t, err)
	open(t, d)
}

func TestOpenChangesNothing(t *testing.T) {
	t.Parallel()
	for _, d := range []*testenv.SQLite{testenv.NewSQLite(t), testenv.NewSQLiteRollback(t)} {
		mode := journal(t, d)
		require.NoError(t, d.DB.Close())
		before := digest(t, d.Path)
		db, err := sqlite.Open(context.Background(), sqlite.Options{Path: d.Path})
		require.NoError(t, err)
		_, err = db.CheckDatabase(context.Background())
		require.NoError(t, err)
		db.Close()
		require.Equal(t, before, digest(t, d.Path))
		d.DB, err = testenv.OpenSQLite(d.Path, mode)
		require.NoError(t, err)
		open(t, d)
		require.Equal(t, mode, journal(t, d))
		require.NoError(t, d.DB.Close())
	}
}

func journal(t *testing.T, d *testenv.SQLite) (mode string) {
	t.Helper()
	require.NoError(t, d.DB.QueryRow(`PRAGMA journal_mode`).Scan(&mode))
	return mode
}

func TestIdentityIsThatOfTheFile(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLiteRollback(t)
	db := open(t, d)
	first := db.Identity()
	require.Equal(t, "webui.db", first.Name)
	require.Equal(t, first, open(t, d).Identity())

	content, err := os.ReadFile(d.Path)
	require.NoError(t, err)
	copied, err := sqlite.Open(context.Background(), sqlite.Options{Path: write(t, content)})
	require.NoError(t, err)
	defer copied.Close()
	require.NotEqual(t, first.Key, copied.Identity().Key)

	// Another database under the same name is another installation.
	other := testenv.NewSQLiteRollback(t)
	require.NotEqual(t, first.Key, open(t, other).Identity().Key)
}

// The table of candidates was made anew for folders: nothing that was in it is lost, since
// their clocks would start anew.
func TestMigrationKeepsCandidates(t *testing.T) {
	t.Parallel()
	d := newMigrated(t, "wal")
	open(t, d)
	before := schema(t, d)
	d.Exec(t, `DELETE FROM pruned_migration WHERE version_id >= 12`)
	d.Exec(t, `DROP TABLE pruned_name; DROP TABLE pruned_trash; DROP TABLE pruned_confirmation; DROP TABLE pruned_keep; DROP TABLE pruned_survivor`)
	d.Exec(t, `ALTER TABLE pruned_candidate DROP COLUMN confirmed_by; ALTER TABLE pruned_hold DROP COLUMN partly; ALTER TABLE pruned_tombstone DROP COLUMN trace; ALTER TABLE pruned_tombstone ADD COLUMN beside TEXT NOT NULL DEFAULT '[]'`)
	for _, direction := range []string{"row", "vector", "bytes"} {
		d.Exec(t, `INSERT INTO pruned_candidate (file_id, direction, first_seen, seen_at, sweep, size, chunks, made_at, confirmed, claimed_at, store, shown)
			VALUES ('a', ?, 1, 2, 3, 4, 5, 6, 7, 8, 'store', 9)`, direction)
	}
	d.Exec(t, `INSERT INTO pruned_tombstone (seq, identity, kind, file_id, name, due_at, attempts, error, delay, made_at, beside)
		VALUES (1, 'i', 'bytes', 'f', 'n', 2, 3, 'e', 4, 5, '["b"]'), (7, 'i', 'vectors', 'f', '', 2, 0, '', NULL, NULL, '["c"]')`)
	open(t, d)
	require.Equal(t, before, schema(t, d))
	require.EqualValues(t, 7, d.Count(t, `SELECT count(*) FROM pruned_migration WHERE version_id >= 12`))
	require.EqualValues(t, 3, d.Count(t, `SELECT count(*) FROM pruned_candidate WHERE file_id = 'a' AND first_seen = 1 AND seen_at = 2 AND sweep = 3
		AND size = 4 AND chunks = 5 AND made_at = 6 AND confirmed = 7 AND claimed_at = 8 AND store = 'store' AND shown = 9`))
	for _, direction := range []string{"folder", "collection", "points", "dangling"} {
		d.Exec(t, `INSERT INTO pruned_candidate (file_id, direction, first_seen, seen_at) VALUES ('a', ?, 1, 2)`, direction)
	}
	require.EqualValues(t, 1, d.Count(t, `SELECT count(*) FROM pruned_tombstone WHERE seq = 1 AND identity = 'i' AND kind = 'bytes' AND file_id = 'f' AND name = 'n'
		AND due_at = 2 AND attempts = 3 AND error = 'e' AND delay = 4 AND made_at = 5`))
	require.EqualValues(t, 1, d.Count(t, `SELECT count(*) FROM pruned_survivor WHERE identity = 'i' AND files = '["c"]' AND delay IS NULL AND made_at = 0`))
	require.EqualValues(t, 1, d.Count(t, `SELECT count(*) FROM pruned_tombstone WHERE seq = 7 AND delay IS NULL AND made_at IS NULL`))
}

func TestUninstallLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, d := range []*testenv.SQLite{testenv.NewSQLite(t), testenv.NewSQLiteRollback(t)} {
		before := schema(t, d)
		db := open(t, d)
		require.NotEqual(t, before, schema(t, d))
		require.NoError(t, db.Migrate(context.Background()), "again")
		require.Zero(t, d.Count(t, `SELECT count(*) FROM sqlite_schema WHERE name LIKE 'pruned%' AND type NOT IN ('table', 'index')`))
		require.NoError(t, db.IndexAll(context.Background(), nil))
		require.NoError(t, db.Uninstall(context.Background()))
		require.Equal(t, before, schema(t, d))
		require.NoError(t, db.Uninstall(context.Background()), "again")
	}
}

func schema(t *testing.T, d *testenv.SQLite) (names []string) {
	t.Helper()
	rows, err := d.DB.Query(`SELECT name FROM sqlite_schema ORDER BY name`)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	return names
}

func TestIgnoreNamesWhatExists(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLite(t)
	for _, name := range []string{"nothing", "chat.nothing", "nothing.chat", "Chat"} {
		_, err := sqlite.Open(context.Background(), sqlite.Options{Path: d.Path, Ignore: []string{"note", name}})
		require.ErrorContains(t, err, name)
	}
}

func TestOpenFollowsALink(t *testing.T) {
	t.Parallel()
	d := testenv.NewSQLite(t)
	link := filepath.Join(t.TempDir(), "webui.db")
	require.NoError(t, os.Symlink(d.Path, link))
	db, err := sqlite.Open(context.Background(), sqlite.Options{Path: link})
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.Migrate(context.Background()))
	id := newFile(t, d)
	require.NoError(t, db.IndexAll(context.Background(), nil))
	insertMention(t, d, id)
	deleted, err := remove(context.Background(), db, id)
	require.NoError(t, err)
	require.Empty(t, deleted)
}

// TestAReplacedFileIsLeftAlone: somebody restored a backup beside us.
func TestAReplacedFileIsLeftAlone(t *testing.T) {
	t.Parallel()
	d, backup := testenv.NewSQLiteRollback(t), testenv.NewSQLiteRollback(t)
	db, ctx := open(t, d), context.Background()
	id := newFile(t, d)
	require.NoError(t, db.IndexAll(ctx, nil))
	require.NoError(t, backup.DB.Close())
	require.NoError(t, os.Rename(backup.Path, d.Path))
	_, err := remove(ctx, db, id)
	require.ErrorContains(t, err, "replaced")
	require.Equal(t, repo.Environment, repo.KindOf(err))
	require.Error(t, db.InTx(ctx, nil, func(tx repo.Tx) error {
		_, err := db.StillReferenced(ctx, tx, nil)
		return err
	}))
}

// Tables of somebody else's that have the names of ours are in the way, and stay.
func TestUninstallLeavesTablesCalledLikeOurs(t *testing.T) {
	t.Parallel()
	for _, made := range []string{`CREATE TABLE pruned_ledger (v TEXT)`, `CREATE TABLE pruned_migration (v TEXT)`} {
		d := testenv.NewSQLite(t)
		d.Exec(t, made)
		before := schema(t, d)
		db, err := sqlite.Open(t.Context(), sqlite.Options{Path: d.Path})
		require.NoError(t, err)
		t.Cleanup(db.Close)
		require.NoError(t, db.Uninstall(t.Context()))
		require.Equal(t, before, schema(t, d))
		require.Error(t, db.Migrate(t.Context()))
		require.NoError(t, db.Uninstall(t.Context()))
		require.Equal(t, before, schema(t, d))
	}
}
