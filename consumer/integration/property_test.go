package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"pruned/consumer"
	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/consumer/prune"
	"pruned/repo"
	"pruned/repo/testenv"
)

// Whatever the files, their ages and uses, and whatever the events about them,
// the end is what the model says: rows, chunks, bytes and outcomes.
func TestEndIsWhatTheModelSays(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	nc := fixture.Dial(t, fixture.StartServer(t, t.TempDir(), 0).ClientURL())
	fixture.OpenQueueOn(t, nc, fixture.StreamOptionsOf(t)) // a server without streams removes their folder, perhaps below the next one
	budget := checks
	rapid.Check(t, func(r *rapid.T) {
		if !budget.spend() {
			return
		}
		w := newWorld(t, i, nc, r)
		defer w.end()
		for range pick(r, "rounds", 1, 2, 3) {
			w.change()
			w.round()
		}
		budget.under = false
	})
}

// checks bounds a property whose checks take most of a second each: rapid's own
// number of them is for all properties. One that fails is shrunk without bound.
var checks = budget{left: 20}

type budget struct {
	left          int
	under, failed bool
}

func (b *budget) spend() bool {
	b.failed = b.failed || b.under
	b.left--
	b.under = b.left >= 0 || b.failed
	return b.under
}

// world is an installation and its model.
type world struct {
	*fixture.Installation
	m   *model
	t   *testing.T
	r   *rapid.T
	q   *consumer.Queue
	ids []string

	lasting string // a file that nobody events, so that table file is never empty
}

var worlds int

func newWorld(t *testing.T, i *fixture.Installation, nc *nats.Conn, r *rapid.T) *world {
	worlds++
	opts := fixture.StreamOptionsOf(t)
	opts.Name = fmt.Sprintf("WORLD%d", worlds)
	w := &world{Installation: i, t: t, r: r, q: fixture.OpenQueueOn(t, nc, opts), m: &model{files: map[string]*modelFile{}}, lasting: testenv.NewID()}
	i.AddRow(t, w.lasting)
	w.m.ages = repo.Ages{Min: 24 * time.Hour, Pending: 168 * time.Hour, Orphan: pick(r, "orphan age", 0, time.Hour)}
	for range pick(r, "files", 1, 4, 8, 12) {
		w.add()
	}
	w.RefreshIndex(t)
	return w
}

// end leaves nothing to the next world.
func (w *world) end() {
	require.NoError(w.t, w.q.Remove(context.Background()))
	w.Exec(w.t, `DELETE FROM file; DELETE FROM chat; DELETE FROM note; DELETE FROM channel; DELETE FROM knowledge; DELETE FROM document_chunk;
		DELETE FROM pruned.candidate; DELETE FROM pruned.tombstone; DELETE FROM pruned.ledger`)
	entries, err := os.ReadDir(w.Uploads)
	require.NoError(w.t, err)
	for _, entry := range entries {
		require.NoError(w.t, os.Remove(filepath.Join(w.Uploads, entry.Name())))
	}
}

// pick draws evenly, which rapid's own ranges do not.
func pick[T any](r *rapid.T, what string, from ...T) T {
	n := 0
	for _, bit := range rapid.SliceOfN(rapid.Bool(), 6, 6).Draw(r, what) {
		n *= 2
		if bit {
			n++
		}
	}
	return from[n%len(from)]
}

// add adds an id: a file, or what is left of one.
func (w *world) add() {
	flip := func(what string) bool { return pick(w.r, what, true, false) }
	age := func(what string) time.Duration { return pick(w.r, what, time.Hour, 48*time.Hour, 720*time.Hour) }
	f := &modelFile{id: testenv.NewID(), uuid: true, uses: map[string]string{}}
	if pick(w.r, "id is no UUID", false, false, false, false, true) {
		f.id, f.uuid = "plugin-"+f.id[:8], false
	}
	f.row, f.bytes = pick(w.r, "row", true, true, true, false), flip("bytes")
	f.ever = f.row
	f.age, f.bytesAge = age("age"), age("age of the bytes")
	f.touched, f.pending = min(f.age, age("touched")), flip("pending")
	w.m.files[f.id] = f
	w.ids = append(w.ids, f.id)

	now := time.Now()
	path := filepath.Join(w.Uploads, testenv.StoredName(f.id, "document.pdf"))
	if f.bytes {
		testenv.WriteBytes(w.t, w.Uploads, f.id, "document.pdf")
		require.NoError(w.t, os.Chtimes(path, now, now.Add(-f.bytesAge)))
	}
	if f.row {
		status := map[bool]string{true: "pending", false: "completed"}[f.pending]
		testenv.InsertFile(w.t, w.Pool, testenv.File{ID: f.id, Path: path, Status: status, CreatedAt: now.Add(-f.age), UpdatedAt: now.Add(-f.touched)})
	}
	if flip("chunks") {
		w.AddChunks(w.t, f.id)
		f.chunks = fixture.ChunksOfAFile
	}
	for range pick(w.r, "uses", 0, 0, 1, 2) {
		w.use(f)
	}
}

// use mentions a file somewhere new. Only JSON can mention one without a row.
func (w *world) use(f *modelFile) {
	tables := []string{"chat", "note"}
	if f.row {
		tables = []string{"chat", "note", "chat_file", "channel_file", "knowledge"}
	}
	table := pick(w.r, "table", tables...)
	var row string
	switch table {
	case "chat":
		row = testenv.InsertChat(w.t, w.Pool, testenv.Chat{Files: []string{f.id}}).ID
	case "note":
		row = testenv.InsertNote(w.t, w.Pool, f.id)
	case "chat_file":
		table, row = "chat", testenv.InsertChat(w.t, w.Pool, testenv.Chat{}).ID
		testenv.LinkChat(w.t, w.Pool, row, f.id)
	case "channel_file":
		table, row = "channel", testenv.InsertChannel(w.t, w.Pool)
		testenv.LinkChannel(w.t, w.Pool, row, f.id)
	case "knowledge":
		row = testenv.InsertKnowledge(w.t, w.Pool, f.id)
	}
	f.uses[row] = table
}

// change is what people do between two drains.
func (w *world) change() {
	for range pick(w.r, "changes", 0, 1, 2, 4) {
		switch pick(w.r, "change", "add", "use", "drop", "pass", "wait") {
		case "add":
			w.add()
			// Rows with old dates wait for a refresh.
			w.RefreshIndex(w.t)
			w.m.pass()
		case "pass":
			w.RefreshIndex(w.t)
			w.m.pass()
		case "wait":
			w.wait(48 * time.Hour)
			w.m.wait(48 * time.Hour)
		case "use":
			w.use(w.m.files[pick(w.r, "file", w.ids...)])
		case "drop":
			w.drop(w.m.files[pick(w.r, "file", w.ids...)])
		}
	}
}

// drop ends the uses of a file.
func (w *world) drop(f *modelFile) {
	for row, table := range f.uses {
		w.Exec(w.t, fmt.Sprintf(`DELETE FROM %q WHERE id = $1`, table), row)
	}
	clear(f.uses)
}

// wait moves every clock.
func (w *world) wait(d time.Duration) {
	w.Exec(w.t, `UPDATE file SET created_at = created_at - $1::bigint, updated_at = updated_at - $1::bigint`, int64(d.Seconds()))
	w.Exec(w.t, `UPDATE pruned.candidate SET first_seen = first_seen - make_interval(secs => $1)`, d.Seconds())
	for _, f := range w.m.files {
		if f.bytes {
			at := time.Now().Add(-f.bytesAge - d)
			require.NoError(w.t, os.Chtimes(filepath.Join(w.Uploads, testenv.StoredName(f.id, "document.pdf")), at, at))
		}
	}
}

// round publishes events, drains, and compares.
func (w *world) round() {
	var ids []string
	for _, id := range slices.Concat(w.ids, []string{testenv.NewID()}) {
		ids = append(ids, slices.Repeat([]string{id}, pick(w.r, "events", 0, 1, 1, 3))...)
	}
	fixture.Publish(w.t, w.q, fixture.EventsAbout(ids...))
	invalid := pick(w.r, "invalid", 0, 3)
	for range invalid {
		_, err := fixture.JetStream(w.t, w.q).Publish(context.Background(), strings.ToLower(w.q.Name())+".orphan.x", []byte("no event"))
		require.NoError(w.t, err)
	}
	x := w.NewTransaction()
	x.Ages, x.Blobs = w.m.ages, w.Blobs.ByModification()
	h := &forgetful{Handler: prune.NewHandler(x, pick(w.r, "batch", 1, 5, 50), time.Minute, fixture.Log(w.t)),
		forget: pick(w.r, "forget", 0, 0, 1, 3), got: map[string][]event.Outcome{}}
	sum := fixture.Drain(w.t, w.q, h, consumer.Options{Due: w.NewReaper(w.t).Due})
	w.compare(ids, h.got)
	require.Equal(w.r, invalid, sum.Invalid)
	require.Zero(w.r, sum.Poison)
	outcomes := sum.Deleted + sum.Gone + sum.Kept + sum.Young + sum.Busy + sum.Invalid + sum.Poison + sum.Failed
	require.Equal(w.r, sum.Events, outcomes+sum.Repeated, "each event has one outcome")
	require.GreaterOrEqual(w.r, sum.Events, len(ids)+invalid, "and a final one")
}

func (w *world) compare(ids []string, got map[string][]event.Outcome) {
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		want := w.m.outcomeOf(id)
		require.Contains(w.r, got[id], want, "outcomes of file %s", id)
		for _, outcome := range got[id] {
			// Two workers may meet; the second event about a deleted file finds nothing.
			if outcome != want && outcome != event.Busy && (want != event.Deleted || outcome != event.Gone) {
				require.Failf(w.r, "an outcome that cannot be", "file %s: wanted %s, got %v", id, want, got[id])
			}
		}
	}
	for _, id := range w.ids {
		require.Equal(w.r, w.m.left(id), w.LeftOf(w.t, id), "what is left of %s", id)
	}
	require.Len(w.r, testenv.Column[string](w.t, w.Database, `SELECT id FROM file WHERE id <> $1`, w.lasting), w.rows())
	require.Zero(w.r, w.CountTombstones(w.t))
}

func (w *world) rows() (n int) {
	for _, f := range w.m.files {
		if f.row {
			n++
		}
	}
	return n
}

// forgetful loses the outcomes of its first batches, as a process does that
// dies between its commit and the acknowledgement.
type forgetful struct {
	event.Handler
	mu     sync.Mutex
	forget int
	got    map[string][]event.Outcome
}

func (f *forgetful) Handle(ctx context.Context, events []event.Delivery) ([]event.Result, error) {
	results, err := f.Handler.Handle(ctx, events)
	f.mu.Lock()
	defer f.mu.Unlock()
	for n, result := range results {
		f.got[events[n].Subject] = append(f.got[events[n].Subject], result.Outcome)
	}
	if f.forget == 0 || err != nil {
		return results, err
	}
	f.forget--
	for n := range results {
		results[n] = event.Result{Outcome: event.Failed, RetryIn: time.Millisecond}
	}
	return results, nil
}
