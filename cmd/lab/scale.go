package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"pruned/repo/testenv"
)

// smallRows is how many small rows there are, at the whole size of them. Half of the files are
// unused.
type smallRows struct{ chats, messages, files int }

var (
	manyMessages = smallRows{chats: 300_000, messages: 3_000_000, files: 200_000}
	manyFiles    = smallRows{chats: 2_000_000, messages: 3_000_000, files: 1_000_000}
)

const messagesPerChat = 10 // of the first chats, until there are no more

func (s smallRows) shrunk(by int) smallRows {
	return smallRows{s.chats / by, s.messages / by, s.files / by}
}

func (s smallRows) String() string {
	return fmt.Sprintf("%d chats, %d messages, %d files", s.chats, s.messages, s.files)
}

// cost is what something took: of the clock, and of the processors by the program and by the
// server's sessions.
type cost struct {
	wall, program, server time.Duration
}

func (c cost) cpu() time.Duration { return c.program + c.server }

// costOf measures fn, after which no session of the world may be left.
func (w *world) costOf(ctx context.Context, fn func() (program time.Duration, err error)) (c cost, err error) {
	before, err := w.serverCPU(ctx)
	if err != nil {
		return c, err
	}
	start := time.Now()
	c.program, err = fn()
	c.wall = time.Since(start)
	if err != nil {
		return c, err
	}
	after, err := w.serverCPU(ctx)
	c.server = after - before
	return c, err
}

// measureScale measures what grows with what the program is not about: the messages beside
// which it deletes files, at a hundredth, a tenth and the whole of them.
func (b *bench) measureScale(ctx context.Context) error {
	table, whole := &scaleTable{}, manyMessages
	if b.large {
		whole = manyFiles
	}
	for _, shrink := range []int{100, 10, 1} {
		if shrink < b.shrink {
			break
		}
		if err := b.measureScaleOf(ctx, table, whole.shrunk(shrink)); err != nil {
			return err
		}
	}
	return table.print()
}

// scaleTable has a line for each measure and a column for each size.
type scaleTable struct {
	header []string
	lines  [][]string
}

func (t *scaleTable) beginColumn(name string) { t.header = append(t.header, name) }

// add adds a figure to the newest column.
func (t *scaleTable) add(name, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Printf("%s, %s: %s\n", t.header[len(t.header)-1], name, text) // a run takes its time
	for i := range t.lines {
		if t.lines[i][0] == name && len(t.lines[i]) < len(t.header)+1 {
			t.lines[i] = append(t.lines[i], text)
			return
		}
	}
	t.lines = append(t.lines, []string{name, text})
}

// addCost adds what something took, and beside what else that is how much.
func (t *scaleTable) addCost(name string, c, of cost) {
	t.add(name, "%.2fs (%.2f), CPU %.2fs (%.2f)", c.wall.Seconds(), of.wall.Seconds()/c.wall.Seconds(),
		c.cpu().Seconds(), of.cpu().Seconds()/c.cpu().Seconds())
}

func (t *scaleTable) print() error {
	return printTable("Beside many small messages: from start to exit of the process, and in parentheses of what the line above names as the same by hand; CPU is that of the program and of all sessions",
		append([]string{""}, t.header...), t.lines)
}

func (b *bench) measureScaleOf(ctx context.Context, t *scaleTable, rows smallRows) error {
	w, err := b.seedSmall(ctx, rows)
	if err != nil {
		return err
	}
	t.beginColumn(rows.String())
	streaming, err := w.measureScaleFirst(ctx, t)
	for _, measure := range []func() error{
		func() error { return w.measureScaleDeletes(ctx, t, deleting{}) },
		func() error { return w.measureScaleNext(ctx, t, streaming, "") },
		func() error { return w.bringBack(ctx) },
		func() error { return w.measureScaleDeletes(ctx, t, deleting{besideWriter: true}) },
		func() error { return w.measureScaleCapture(ctx, t) },
		func() error { return w.measureScaleNext(ctx, t, streaming, captured) },
		func() error { return w.bringBack(ctx) },
		func() error { return w.measureScaleDeletes(ctx, t, deleting{besideWriter: true, captured: true}) },
	} {
		if err == nil {
			err = measure()
		}
	}
	return errors.Join(err, w.dropWorld(ctx))
}

// Half of all files go.
const sweepAll = "PRUNED_MAX_FRACTION=1"

// measureScaleFirst measures the first sweep beside PostgreSQL streaming the columns that it
// reads.
func (w *world) measureScaleFirst(ctx context.Context, t *scaleTable) (streaming cost, err error) {
	for range 2 { // the first time it also brings them into PostgreSQL's own memory
		if streaming, err = w.costOf(ctx, func() (time.Duration, error) { return 0, w.streamSmall(ctx) }); err != nil {
			return streaming, err
		}
	}
	t.addCost("PostgreSQL streams the texts of all chats and messages", streaming, streaming)
	var s swept
	first, err := w.costOf(ctx, func() (_ time.Duration, err error) {
		s, err = w.runSweep(ctx, sweepAll)
		return s.cpu, err
	})
	if err == nil && s.Published != len(w.Orphans) {
		err = fmt.Errorf("the first sweep published %d of %d orphans", s.Published, len(w.Orphans))
	}
	if err != nil {
		return streaming, err
	}
	t.addCost("first sweep, of streaming", first, streaming)
	t.add("peak memory of that", "%.0f MB", s.peakMB)
	return streaming, nil
}

// measureScaleNext measures a sweep after a few changes, while nothing is unused.
func (w *world) measureScaleNext(ctx context.Context, t *scaleTable, streaming cost, how string) error {
	if err := w.withConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `UPDATE chat_message SET content = '"changed"' WHERE id IN (SELECT id FROM chat_message ORDER BY id LIMIT 100)`)
		return err
	}); err != nil {
		return err
	}
	next, err := w.costOf(ctx, func() (time.Duration, error) {
		s, err := w.runSweep(ctx, sweepAll)
		return s.cpu, err
	})
	if err == nil {
		t.addCost("sweep after 100 changes, of streaming"+how, next, streaming)
	}
	return err
}

// streamSmall has PostgreSQL send the texts of all messages and chats, and ignores them.
func (w *world) streamSmall(ctx context.Context) error {
	return w.withConn(ctx, func(conn *pgx.Conn) error {
		for _, sql := range []string{
			`COPY (SELECT id, chat_id, user_id, role, parent_id, content, output, model_id, files, sources, embeds, status_history, error, usage, context_summary, meta FROM chat_message) TO STDOUT`,
			`COPY (SELECT id, user_id, title, share_id, chat, meta, folder_id, tasks, summary, current_message_id, variables FROM chat) TO STDOUT`,
		} {
			if _, err := conn.PgConn().CopyTo(ctx, &counter{}, sql); err != nil {
				return err
			}
		}
		return nil
	})
}

// deleting is how files are deleted.
type deleting struct{ besideWriter, captured bool }

// captured is what is said of a measure that looks took part in which read only what changed.
const captured = ", rows captured"

func (d deleting) String() string {
	beside := map[bool]string{false: "nobody writes", true: fmt.Sprintf("an application writes %d rows a second", writesPerSecond)}[d.besideWriter]
	if d.captured {
		beside += captured
	}
	return beside
}

// measureScaleDeletes compares the drain with the same deletes as bare SQL.
func (w *world) measureScaleDeletes(ctx context.Context, t *scaleTable, how deleting) error {
	beside, writes := how.String(), how.besideWriter
	bare, err := w.costOf(ctx, func() (time.Duration, error) {
		return 0, w.besideWriter(ctx, writes, func() error {
			_, err := w.bareDeletes(ctx, w.Orphans, 1, bareFiles)
			return err
		})
	})
	if err == nil {
		t.addCost("deletes as bare SQL, "+beside, bare, bare)
		err = w.bringBack(ctx)
	}
	if err != nil {
		return err
	}
	var r ran
	log := &firstBatch{}
	drain, err := w.costOf(ctx, func() (time.Duration, error) {
		err := w.besideWriter(ctx, writes, func() (err error) {
			log.began = time.Now()
			r, err = w.drainLogged(ctx, log, "PRUNED_LOG_LEVEL=info", "PRUNED_LOG_FORMAT=json", "PRUNED_BYTES_DELAY=1h")
			return err
		})
		return r.cpu, err
	})
	if err == nil && r.Deleted != len(w.Orphans) {
		err = fmt.Errorf("the drain deleted %d of %d orphans", r.Deleted, len(w.Orphans))
	}
	if err != nil {
		return err
	}
	t.addCost("drain, "+beside, drain, bare)
	t.add("batches of that", "%d", r.Batches)
	t.add("peak memory of that", "%.0f MB", r.peakMB)
	t.add("start to first batch, "+beside, "%d ms", log.took.Milliseconds())
	return nil
}

// firstBatch is a log that tells when the first batch had ended.
type firstBatch struct {
	began time.Time
	took  time.Duration
}

func (f *firstBatch) Write(p []byte) (int, error) {
	if f.took == 0 && bytes.Contains(p, []byte(`"message":"batch"`)) {
		f.took = time.Since(f.began)
	}
	return len(p), nil
}

const writesPerSecond = 20

// besideWriter runs fn while an application writes, if it does.
func (w *world) besideWriter(ctx context.Context, writes bool, fn func() error) error {
	if !writes {
		return fn()
	}
	writing, stop := context.WithCancel(ctx)
	group := errgroup.Group{}
	group.Go(func() error { return w.writeMessages(writing) })
	err := fn()
	stop()
	return errors.Join(err, group.Wait())
}

// writeMessages inserts a message every so often until ctx ends.
func (w *world) writeMessages(ctx context.Context) error {
	return w.withConn(context.WithoutCancel(ctx), func(conn *pgx.Conn) error {
		ticker := time.NewTicker(time.Second / writesPerSecond)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			}
			if _, err := conn.Exec(context.WithoutCancel(ctx), `INSERT INTO chat_message (id, chat_id, user_id, role, content, created_at, updated_at)
				SELECT id || '-' || gen_random_uuid(), id, $1, 'user', '"And what does it say now?"', 1700000000, 1700000000 FROM chat LIMIT 1`, testenv.UserID); err != nil {
				return err
			}
		}
	})
}

// bringBack inserts the files again that were deleted, and has a sweep report those that it
// has not.
func (w *world) bringBack(ctx context.Context) error {
	err := w.withConn(ctx, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "INSERT INTO file ("+smallFileColumns+") SELECT "+smallFileValues+" FROM unnest($1::text[]) id", w.Orphans); err != nil {
			return err
		}
		for _, sql := range []string{"TRUNCATE pruned.tombstone, pruned.ledger", "VACUUM ANALYZE file", "CHECKPOINT"} {
			if _, err := conn.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = w.runSweep(ctx, sweepAll)
	return err
}

// seedSmall makes the world. Rows are written before their indexes, and what the
// application alone asks them for is left out.
func (b *bench) seedSmall(ctx context.Context, size smallRows) (*world, error) {
	w, err := b.seedWorld(ctx, testenv.SeedOptions{}, false)
	if err != nil {
		return nil, err
	}
	w.Seeded = &testenv.Seeded{}
	return w, w.withConn(ctx, func(conn *pgx.Conn) error {
		if err := testenv.CreateChunks(ctx, conn, testenv.VectorOptions{Dim: 3}); err != nil {
			return err
		}
		args := strings.NewReplacer("@chats", fmt.Sprint(size.chats), "@files", fmt.Sprint(size.files), "@written", fmt.Sprint(size.messages/messagesPerChat), "@messages", fmt.Sprint(messagesPerChat))
		if _, err := conn.Exec(ctx, args.Replace(seedSmallSQL)); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, "VACUUM ANALYZE"); err != nil {
			return err
		}
		rows, _ := conn.Query(ctx, `SELECT f.id FROM file f LEFT JOIN chat_file l ON l.file_id = f.id WHERE l.id IS NULL`)
		if w.Orphans, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return err
		}
		rand.Shuffle(len(w.Orphans), func(a, b int) { w.Orphans[a], w.Orphans[b] = w.Orphans[b], w.Orphans[a] })
		_, err := conn.Exec(ctx, "CHECKPOINT")
		return err
	})
}

const (
	smallFileColumns = `id, user_id, filename, path, hash, data, meta, created_at, updated_at`
	smallFileValues  = `id, '` + testenv.UserID + `', 'document.pdf', '/data/uploads/' || id || '_document.pdf', md5(id), '{"status":"completed","content":"What the file says."}',
       '{"name":"document.pdf","content_type":"application/pdf","size":256}', 1700000000, 1700000000`
)

// seedSmallSQL makes messages as the application does, whose ids begin with those of their
// chats. Every second file is linked to a chat, and mentioned by its first message, if it has any.
const seedSmallSQL = `
SET session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT indexrelid::regclass FROM pg_index WHERE indrelid IN ('chat'::regclass, 'chat_message'::regclass) AND NOT indisunique LOOP
        EXECUTE 'DROP INDEX ' || name;
    END LOOP;
END $$;
INSERT INTO file (` + smallFileColumns + `)
SELECT ` + smallFileValues + ` FROM (SELECT gen_random_uuid()::text AS id FROM generate_series(1, @files));
CREATE TEMP TABLE used AS SELECT id, row_number() OVER () AS n FROM (SELECT id FROM file ORDER BY id LIMIT @files / 2);
CREATE TEMP TABLE chats AS SELECT gen_random_uuid()::text AS id, n FROM generate_series(1, @chats) n;
INSERT INTO chat (id, user_id, title, chat, created_at, updated_at, archived, meta)
SELECT id, '` + testenv.UserID + `', 'A chat', '{"title":"A chat","models":["m"],"history":{}}', 1700000000, 1700000000, false, '{}' FROM chats;
INSERT INTO chat_message (id, chat_id, user_id, role, parent_id, content, files, done, created_at, updated_at)
SELECT c.id || '-' || md5(c.id || i)::uuid, c.id, '` + testenv.UserID + `', CASE WHEN i % 2 = 1 THEN 'user' ELSE 'assistant' END,
       CASE WHEN i > 1 THEN md5(c.id || i - 1)::uuid END, '"What does the file say?"',
       CASE WHEN i = 1 THEN '[{"type":"file","id":"' || u.id || '"}]' END::json, true, 1700000000 + i, 1700000000 + i
  FROM chats c LEFT JOIN used u USING (n) CROSS JOIN generate_series(1, @messages) i
 WHERE c.n <= @written;
INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at)
SELECT gen_random_uuid()::text, '` + testenv.UserID + `', c.id, u.id, 1700000000, 1700000000 FROM used u JOIN chats c USING (n);
DROP TABLE used, chats;
RESET session_replication_role`
