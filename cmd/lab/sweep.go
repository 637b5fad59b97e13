package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo/testenv"
)

// swept is one run of the program that sweeps.
type swept struct {
	ran
	Files, Published, Held int
}

// runSweep runs one sweep as a whole process.
func (i *installation) runSweep(ctx context.Context, settings ...string) (s swept, err error) {
	out, r, err := i.runProgram(ctx, nil, nil, settings, "sweep", "--output", "json")
	if err == nil {
		err = json.Unmarshal(out, &s)
	}
	s.ran = r
	return s, err
}

// measureSweeps measures the first sweep, which reads every chat, beside PostgreSQL
// streaming their text to a client that ignores it, and what a sweep costs after a
// few chats have changed: with a tenth of the data, then with all.
func (b *bench) measureSweeps(ctx context.Context) error {
	var rows [][]string
	for _, shrink := range []int{10 * b.shrink, b.shrink} {
		lines, err := b.measureSweepsOf(ctx, 200_000/shrink, 100_000/shrink)
		if err != nil {
			return err
		}
		rows = append(rows, lines...)
	}
	return printTable("Sweeps, from start to exit of the process, beside the second of two streamings, both from memory; chats of 8 KB that do not compress; read is what the process read, of sockets and files",
		[]string{"", "chats", "files", "took", "MB/s", "of streaming", "read", "of a first sweep", "peak memory"}, rows)
}

const changedChats = 100

func (b *bench) measureSweepsOf(ctx context.Context, chats, files int) (rows [][]string, err error) {
	w, err := b.seedWorld(ctx, testenv.SeedOptions{Files: files, Orphans: files / 20, Chats: chats, ChatBytes: 8 << 10}, false)
	if err != nil {
		return nil, err
	}
	if _, _, err := w.streamChats(ctx); err != nil {
		return nil, err
	}
	text, streaming, err := w.streamChats(ctx)
	if err != nil {
		return nil, err
	}
	line := func(name string, took time.Duration, rest ...string) {
		rows = append(rows, append([]string{name, fmt.Sprint(chats), fmt.Sprint(files), fmt.Sprintf("%.2fs", took.Seconds())}, rest...))
	}
	perSecond := func(took time.Duration) string { return fmt.Sprintf("%.0f", text/took.Seconds()) }
	line("streaming all chats", streaming, perSecond(streaming), "1.00", fmt.Sprintf("%.1f MB", text), "", "")

	first, err := w.runSweep(ctx)
	if err == nil && first.Published != len(w.Orphans) {
		err = fmt.Errorf("the first sweep published %d of %d orphans", first.Published, len(w.Orphans))
	}
	if err != nil {
		return nil, err
	}
	line("first sweep", first.wall, perSecond(first.wall), fmt.Sprintf("%.2f", streaming.Seconds()/first.wall.Seconds()),
		fmt.Sprintf("%.1f MB", first.readMB), "1", fmt.Sprintf("%.0f MB", first.peakMB))

	for _, changed := range []int{0, changedChats} {
		if err := w.changeChats(ctx, changed); err != nil {
			return nil, err
		}
		next, err := w.runSweep(ctx)
		if err != nil {
			return nil, err
		}
		line(fmt.Sprintf("after %d changed chats", changed), next.wall, "", "", fmt.Sprintf("%.1f MB", next.readMB),
			fmt.Sprintf("%.4f", next.readMB/first.readMB), fmt.Sprintf("%.0f MB", next.peakMB))
	}
	return rows, w.dropWorld(ctx)
}

// streamChats has PostgreSQL send the text of all chats, and ignores it. The first time
// it also brings the text into PostgreSQL's own memory.
func (w *world) streamChats(ctx context.Context) (mb float64, took time.Duration, err error) {
	err = w.withConn(ctx, func(conn *pgx.Conn) error {
		start := time.Now()
		n := &counter{}
		_, err := conn.PgConn().CopyTo(ctx, n, "COPY (SELECT chat FROM chat) TO STDOUT")
		took, mb = time.Since(start), float64(n.bytes)/(1<<20)
		return err
	})
	return mb, took, err
}

// counter counts what is written to it.
type counter struct{ bytes int }

var _ io.Writer = (*counter)(nil)

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += len(p)
	return len(p), nil
}

// changeChats rewrites some chats, as the application does with every message.
func (w *world) changeChats(ctx context.Context, n int) error {
	return w.withConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `UPDATE chat SET chat = (chat::jsonb || '{"title": "changed"}')::json, updated_at = extract(epoch FROM now())
			WHERE id IN (SELECT id FROM chat ORDER BY id LIMIT $1)`, n)
		return err
	})
}
