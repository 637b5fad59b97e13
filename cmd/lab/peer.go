package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo/testenv"
	"pruned/repo/testenv/openwebui"
)

const (
	peerFiles   = 6000
	peerOrphans = 3000
	peerChunks  = 5
)

// peerRun is what a program took on a copy of a world, and what became of that.
type peerRun struct {
	name string
	ran
	start        time.Duration // until it began to look
	server       time.Duration // the CPU of its sessions
	transactions int64
	left, lost   held // of the orphans, and of the files in use
}

// measurePeer compares a first run of the program, whose tables and index are not there yet,
// with prune-open-webui, the tool that operators of Open WebUI have, on copies of one world. A
// preview by the tool comes first, after which what Python imports is in memory.
func (b *bench) measurePeer(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "prune.py")); err != nil {
		return fmt.Errorf("the table peer needs --peer, a checkout of prune-open-webui: %w", err)
	}
	o, err := b.seedWorld(ctx, testenv.SeedOptions{
		Files: peerFiles / b.shrink, Orphans: peerOrphans / b.shrink, ChunksPerFile: peerChunks, ChatBytes: 4000,
		Vectors: testenv.VectorOptions{Dim: 1536, Index: true},
	}, true)
	if err == nil {
		err = o.linkNoted(ctx)
	}
	if err != nil {
		return err
	}
	preview, tool, own := &peerRun{name: "prune.py --dry-run"}, &peerRun{name: "prune.py --execute"}, &peerRun{name: "pruned run --once"}
	err = o.onPeerCopy(ctx, func(w *world) error {
		if err := w.watchPeer(ctx, preview, func() error { return w.runPeer(ctx, preview, dir, "--dry-run") }); err != nil {
			return err
		}
		if err := w.watchPeer(ctx, tool, func() error { return w.runPeer(ctx, tool, dir, "--execute") }); err != nil {
			return err
		}
		return w.countPeer(ctx, tool)
	})
	if err != nil {
		return err
	}
	err = o.onPeerCopy(ctx, func(w *world) error {
		if err := w.watchPeer(ctx, own, func() error { return w.runOnce(ctx, own) }); err != nil {
			return err
		}
		p := w.peerPromises()
		return errors.Join(w.countPeer(ctx, own), p.checkNothingLost(ctx), p.checkNothingLeft(ctx))
	})
	if err != nil {
		return err
	}
	return errors.Join(o.dropWorld(ctx), o.showPeer(preview, tool, own))
}

// linkNoted links the files of notes to a chat as well: the tool does not look into notes, and
// would take these files for orphans.
func (w *world) linkNoted(ctx context.Context) error {
	return w.execEach(ctx, nil, `
INSERT INTO chat_file (id, user_id, chat_id, file_id, created_at, updated_at)
SELECT gen_random_uuid()::text, note.user_id, (SELECT min(id) FROM chat), file ->> 'id', 1, 1
  FROM note, json_array_elements(note.data -> 'files') file`)
}

// onPeerCopy runs fn on a world with the same data and bytes.
func (w *world) onPeerCopy(ctx context.Context, fn func(*world) error) error {
	c, err := w.copyWorld(ctx)
	if err != nil {
		return err
	}
	err = errors.Join(os.RemoveAll(c.uploads()), os.CopyFS(c.uploads(), os.DirFS(w.uploads())))
	if err == nil {
		err = c.execEach(ctx, []any{w.uploads(), c.uploads()}, `UPDATE file SET path = replace(path, $1, $2)`)
	}
	if err == nil {
		err = fn(c)
	}
	return errors.Join(err, c.dropWorld(ctx))
}

// watchPeer has the server tell what a run took of it.
func (w *world) watchPeer(ctx context.Context, r *peerRun, run func() error) error {
	before, err := w.readUse(ctx)
	if err != nil {
		return err
	}
	if err := run(); err != nil {
		return err
	}
	after, err := w.readUse(ctx)
	r.server, r.transactions = after.cpu-before.cpu, after.transactions-before.transactions
	return err
}

// serverUse is what the sessions of a database have used so far.
type serverUse struct {
	cpu          time.Duration
	transactions int64
}

// readUse waits until they have ended, and so have told what they did.
func (w *world) readUse(ctx context.Context) (u serverUse, err error) {
	if u.cpu, err = w.serverCPU(ctx); err != nil {
		return u, err
	}
	err = w.adminWorld().withConn(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1`, w.database).Scan(&u.transactions)
	})
	return u, err
}

// peerArgs leave the tool the files that nothing uses, their vectors and bytes, which it deletes
// whatever it is told.
var peerArgs = []string{
	"--no-delete-orphaned-chats", "--no-delete-orphaned-prompts", "--no-delete-orphaned-knowledge-bases",
	"--no-delete-orphaned-kb-metadata", "--no-delete-orphaned-memories", "--no-delete-orphaned-models",
	"--no-delete-orphaned-notes", "--no-delete-orphaned-folders", "--no-delete-orphaned-chat-messages",
	"--no-delete-orphaned-automations", "--no-delete-orphaned-channel-messages",
}

// runPeer runs the tool as an operator does: by Open WebUI's Python, with its environment. It
// logs first after it has imported Open WebUI. That of a slim image opens its vectors later than
// the tool looks for them, which then leaves them all.
func (w *world) runPeer(ctx context.Context, r *peerRun, dir, how string) error {
	cmd, err := openwebui.Command(ctx, openwebui.Options{
		DatabaseURL: w.url, DataDir: w.dir, VectorDB: openwebui.PGVector, Env: map[string]string{"USE_SLIM_DOCKER": "false"},
	}, append([]string{filepath.Join(dir, "prune.py"), how}, peerArgs...)...)
	if err != nil {
		return err
	}
	log := newStartLog("Open WebUI Standalone Prune Script")
	cmd.Stdout, cmd.Stderr = log, log
	r.ran, err = watchCommand(cmd)
	return log.readStart(r, err)
}

// runOnce runs the program as cron does, but that ages are zero, and that half of the files may
// go. It logs first when everything is open.
func (w *world) runOnce(ctx context.Context, r *peerRun) (err error) {
	log := newStartLog("pruned starts")
	var out []byte
	out, r.ran, err = w.runProgram(ctx, nil, log, []string{"PRUNED_MIN_AGE=0", "PRUNED_MAX_FRACTION=1", "PRUNED_LOG_LEVEL=info"}, "run", "--once", "--output", "json")
	if err := log.readStart(r, err); err != nil {
		return err
	}
	once := struct{ Summary *summary }{&r.summary}
	return json.Unmarshal(out, &once)
}

// startLog keeps what a program logs, and when that was in it which it logs once it has started.
type startLog struct {
	began   time.Time
	first   string
	started time.Duration
	text    bytes.Buffer
}

func newStartLog(first string) *startLog { return &startLog{began: time.Now(), first: first} }

func (l *startLog) Write(p []byte) (int, error) {
	n, err := l.text.Write(p)
	if l.started == 0 && strings.Contains(l.text.String(), l.first) {
		l.started = time.Since(l.began)
	}
	return n, err
}

// readStart tells a run when that was, and shows what was logged where it failed.
func (l *startLog) readStart(r *peerRun, err error) error {
	if r.start = l.started; err == nil && r.start == 0 {
		err = errors.New("it did not log that it started")
	}
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", r.name, err, l.text.Bytes())
	}
	return err
}

// peerPromises are those of a copy that nothing was done to.
func (w *world) peerPromises() *promises {
	n, shared := int64(len(w.InUse)), int64(len(w.InKnowledge))
	return &promises{installation: w.installation, counted: w, inUse: held{rows: n, chunks: peerChunks * n, shared: peerChunks * shared, bytes: n}}
}

// countPeer counts what a run left of the orphans, and what it took of the files in use.
func (w *world) countPeer(ctx context.Context, r *peerRun) error {
	// Tombstones are counted, which the tool has no table for.
	if _, _, err := w.runProgram(ctx, nil, nil, nil, "migrate"); err != nil {
		return err
	}
	p := w.peerPromises()
	var err error
	if r.left, err = p.countAll(ctx, w.Orphans); err != nil {
		return err
	}
	has, err := p.countAll(ctx, w.InUse)
	r.lost = held{rows: p.inUse.rows - has.rows, chunks: p.inUse.chunks - has.chunks, shared: p.inUse.shared - has.shared, bytes: p.inUse.bytes - has.bytes}
	return err
}

func (w *world) showPeer(preview, tool, own *peerRun) error {
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
	row := func(r *peerRun, gone string) []string {
		return []string{r.name, gone, seconds(r.wall), seconds(r.wall - r.start), fmt.Sprint(r.transactions), seconds(r.cpu), seconds(r.server)}
	}
	gone := func(r *peerRun) string { return fmt.Sprint(int64(len(w.Orphans)) - r.left.rows) }
	part := func(own, tool time.Duration) string { return fmt.Sprintf("1/%.1f", tool.Seconds()/own.Seconds()) }
	err := printTable(fmt.Sprintf("pruned beside prune-open-webui, from start to exit and without what each takes until its log begins: %d orphans, %d files in use, %d chunks of 1,536 dimensions a file, pgvector, bytes in a folder",
		len(w.Orphans), len(w.InUse), peerChunks),
		[]string{"", "orphans gone", "start to exit", "without the start", "transactions", "its CPU", "the server's CPU"}, [][]string{
			row(preview, ""), row(tool, gone(tool)), row(own, gone(own)),
			{"pruned, of prune.py", "", part(own.wall, tool.wall), part(own.wall-own.start, tool.wall-tool.start),
				fmt.Sprintf("%.2f %%", 100*float64(own.transactions)/float64(tool.transactions)), part(own.cpu, tool.cpu), part(own.server, tool.server)},
		})
	fmt.Printf("pruned took %s to start, %.2f s for the drain, and %s for the index, the sweep and the exit\n",
		seconds(own.start), own.Duration, seconds(own.wall-own.start-time.Duration(own.Duration*float64(time.Second))))
	return errors.Join(err, printTable("What they left of the orphans, and lost of the files in use", []string{"", "left", "lost"}, [][]string{
		{tool.name, tool.left.String(), tool.lost.String()}, {own.name, own.left.String(), own.lost.String()},
	}))
}
