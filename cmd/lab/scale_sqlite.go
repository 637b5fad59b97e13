package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"pruned/repo/sqlite"
	"pruned/repo/testenv"
)

// messagesOfSQLite is how many small rows there are in a webui.db, at the whole size of them.
var messagesOfSQLite = smallRows{chats: 100_000, messages: 1_000_000, files: 100_000}

// measureScaleSQLite measures how the costs on SQLite grow with messages and files, at a
// hundredth, a tenth and the whole of them.
func (b *bench) measureScaleSQLite(ctx context.Context) error {
	table := &scaleTable{}
	for _, shrink := range []int{100, 10, 1} {
		if shrink < b.shrink {
			break
		}
		if err := b.measureScaleSQLiteOf(ctx, table, messagesOfSQLite.shrunk(shrink)); err != nil {
			return err
		}
	}
	return printTable("Beside many small messages on SQLite: from start to exit of the process, but for the passes of one that runs; CPU is that of the program",
		append([]string{""}, table.header...), table.lines)
}

func (b *bench) measureScaleSQLiteOf(ctx context.Context, t *scaleTable, rows smallRows) (err error) {
	f, err := b.seedSmallFolder(ctx, rows)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(f.dir)) }()
	size, err := os.Stat(f.webui())
	if err != nil {
		return err
	}
	t.beginColumn(rows.String())
	t.add("webui.db", "%d MB", size.Size()>>20)
	if err := f.measurePasses(ctx, t); err != nil {
		return err
	}
	first, err := f.runSweep(ctx, sweepAll)
	if err == nil && first.Published != len(f.Orphans) {
		err = fmt.Errorf("the first sweep published %d of %d orphans", first.Published, len(f.Orphans))
	}
	if err != nil {
		return err
	}
	t.addRun("first sweep", first.ran)
	log := &firstBatch{began: time.Now()}
	drain, err := f.drainLogged(ctx, log, "PRUNED_LOG_LEVEL=info", "PRUNED_LOG_FORMAT=json", "PRUNED_BYTES_DELAY=1h")
	if err == nil && drain.Deleted != len(f.Orphans) {
		err = fmt.Errorf("the drain deleted %d of %d orphans", drain.Deleted, len(f.Orphans))
	}
	if err != nil {
		return err
	}
	t.addRun("drain", drain)
	t.add("start to first batch", "%d ms", log.took.Milliseconds())
	t.add("files/s after that", "%.0f", float64(drain.Deleted)/(drain.wall-log.took).Seconds())
	return nil
}

// addRun adds what a process took.
func (t *scaleTable) addRun(name string, r ran) {
	t.add(name, "%.2fs, CPU %.2fs", r.wall.Seconds(), r.cpu.Seconds())
	t.add("peak memory of that", "%.0f MB", r.peakMB)
}

// measurePasses measures passes within this process: the index lies in the memory of one that
// runs.
func (f *folder) measurePasses(ctx context.Context, t *scaleTable) error {
	db, err := sqlite.Open(ctx, sqlite.Options{Path: f.webui()})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	start := time.Now()
	if err := db.IndexAll(ctx, nil); err != nil {
		return err
	}
	t.add("first pass", "%.2fs", time.Since(start).Seconds())
	if err := execSQLite(ctx, f.webui(), `UPDATE chat_message SET content = '"changed"' WHERE id IN (SELECT id FROM chat_message ORDER BY id LIMIT 100)`); err != nil {
		return err
	}
	start = time.Now()
	if err := db.IndexChanges(ctx); err != nil {
		return err
	}
	t.add("pass after 100 changes", "%d ms", time.Since(start).Milliseconds())
	return nil
}

// seedSmallFolder makes a webui.db as seedSmall makes one in PostgreSQL, without a Chroma.
func (l *lab) seedSmallFolder(ctx context.Context, size smallRows) (*folder, error) {
	i, err := l.makeInstallation()
	if err != nil {
		return nil, err
	}
	f := &folder{installation: i}
	if f.Seeded, err = testenv.SeedSQLite(ctx, f.webui(), testenv.SeedOptions{UploadDir: f.uploads()}); err != nil {
		return nil, err
	}
	args := strings.NewReplacer("@chats", fmt.Sprint(size.chats), "@files", fmt.Sprint(size.files), "@messages", fmt.Sprint(messagesPerChat))
	return f, withSQLite(f.webui(), func(db *sql.DB) error {
		db.SetMaxOpenConns(1) // it has the temporary tables
		if _, err := db.ExecContext(ctx, args.Replace(seedSmallSQLite)); err != nil {
			return err
		}
		rows, err := db.QueryContext(ctx, `SELECT id FROM file WHERE id NOT IN (SELECT file_id FROM chat_file)`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			f.Orphans = append(f.Orphans, id)
		}
		return rows.Err()
	})
}

// seedSmallSQLite is seedSmallSQL, where every chat has its messages.
const (
	uuidSQLite = `lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-a' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))`

	seedSmallSQLite = `
BEGIN;
CREATE TEMP TABLE files AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @files) SELECT i AS n, ` + uuidSQLite + ` AS id FROM n;
CREATE TEMP TABLE chats AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @chats) SELECT i AS n, ` + uuidSQLite + ` AS id FROM n;
CREATE TEMP TABLE turns AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @messages) SELECT i FROM n;
CREATE TEMP TABLE used AS SELECT n * 2 AS n, id FROM files WHERE n <= @files / 2;
CREATE INDEX temp.used_n ON used (n);
INSERT INTO file (id, user_id, filename, path, hash, data, meta, created_at, updated_at)
SELECT id, '` + testenv.UserID + `', 'document.pdf', '/data/uploads/' || id || '_document.pdf', id, '{"status":"completed","content":"What the file says."}',
       '{"name":"document.pdf","content_type":"application/pdf","size":256}', 1700000000, 1700000000 FROM files;
INSERT INTO chat (id, user_id, title, chat, created_at, updated_at, archived, meta)
SELECT id, '` + testenv.UserID + `', 'A chat', '{"title":"A chat","models":["m"],"history":{}}', 1700000000, 1700000000, 0, '{}' FROM chats;
INSERT INTO chat_message (id, chat_id, user_id, role, content, files, done, created_at, updated_at)
SELECT c.id || '-' || ` + uuidSQLite + `, c.id, '` + testenv.UserID + `', CASE WHEN i % 2 = 1 THEN 'user' ELSE 'assistant' END, '"What does the file say?"',
       CASE WHEN i = 1 THEN '[{"type":"file","id":"' || u.id || '"}]' END, 1, 1700000000 + i, 1700000000 + i
  FROM chats c CROSS JOIN turns LEFT JOIN used u ON u.n = c.n;
INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at)
SELECT ` + uuidSQLite + `, '` + testenv.UserID + `', c.id, u.id, 1700000000, 1700000000 FROM used u JOIN chats c ON c.n = u.n;
COMMIT;
PRAGMA wal_checkpoint(TRUNCATE)`
)
