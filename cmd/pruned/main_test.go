package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer"
	"pruned/repo/blobs/local"
	"pruned/repo/cache"
	"pruned/repo/testenv"
)

func TestMain(m *testing.M) {
	openFolder = func(dir string) (*local.Store, error) {
		folder, err := local.Open(dir)
		if err != nil {
			return nil, err
		}
		return folder.ByModification(), nil
	}
	openCache = func(dir string) *cache.Folder { return cache.New(dir).ByModification() }
	testenv.Main(m)
}

const (
	// signalTimeout is how long a test waits for a signal that must come.
	signalTimeout = 90 * time.Second
	// pollEvery is how often a test asks about what gives no signal.
	pollEvery = 5 * time.Millisecond
)

// small are vectors that cost nothing.
var small = testenv.VectorOptions{Dim: 3}

// installation is one Open WebUI with a pruned beside it.
type installation struct {
	*testenv.Database
	dir string
	env []string
}

func install(t *testing.T, options ...testenv.Option) *installation {
	t.Helper()
	return installOn(t, testenv.New(t, options...))
}

func installOn(t *testing.T, d *testenv.Database) *installation {
	t.Helper()
	i := &installation{Database: d, dir: t.TempDir()}
	require.NoError(t, os.Mkdir(i.uploads(), 0o755))
	i.env = []string{
		"DATABASE_URL=" + i.URL, "DATABASE_SCHEMA=" + i.Schema, "VECTOR_DB=pgvector", "DATA_DIR=" + i.dir,
		"PRUNED_NATS_LISTEN=127.0.0.1:0", "PRUNED_HTTP=127.0.0.1:0", "PRUNED_MIN_AGE=0", "PRUNED_ORPHAN_AGE=0", "PRUNED_BYTES_DELAY=0", "PRUNED_TRASH=0",
		"PRUNED_LOG_FORMAT=json",
	}
	return i
}

func (i *installation) uploads() string { return filepath.Join(i.dir, "uploads") }

// with is the installation with more settings; later ones win.
func (i *installation) with(settings ...string) *installation {
	other := *i
	other.env = slices.Concat(i.env, settings)
	return &other
}

// seed makes files with one chunk each and their bytes.
func (i *installation) seed(t *testing.T, files, orphans int) *testenv.Seeded {
	t.Helper()
	seeded, err := testenv.Seed(t.Context(), i.Pool, testenv.SeedOptions{
		Files: files, Orphans: orphans, ChunksPerFile: 1, Vectors: small, UploadDir: i.uploads(),
	})
	require.NoError(t, err)
	return seeded
}

// output is what a program writes; several of its goroutines do.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// pruned runs the program in this process and returns its exit status and what
// it printed.
func (i *installation) pruned(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return i.prunedUntil(t.Context(), t, stdin, args...)
}

// prunedUntil is pruned, which is interrupted once ctx is done.
func (i *installation) prunedUntil(ctx context.Context, t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs output
	status = run(ctx, args, i.env, strings.NewReader(stdin), &out, &errs)
	if t.Failed() || testing.Verbose() {
		t.Logf("pruned %s: %d\n%s%s", strings.Join(args, " "), status, out.String(), errs.String())
	}
	return status, out.String(), errs.String()
}

// must runs the program, which must end well, and returns what it printed.
func (i *installation) must(t *testing.T, args ...string) string {
	t.Helper()
	status, out, errs := i.pruned(t, "", args...)
	require.Zero(t, status, errs)
	return out
}

// ask runs a command, which must end well, for its JSON.
func ask[T any](t *testing.T, i *installation, args ...string) (answer T) {
	t.Helper()
	out := i.must(t, append(args, "--output", "json")...)
	require.Equal(t, 1, strings.Count(out, "\n"), "one line")
	require.NoError(t, json.Unmarshal([]byte(out), &answer), out)
	return answer
}

func (i *installation) publish(t *testing.T, ids ...string) {
	t.Helper()
	status, _, errs := i.pruned(t, strings.Join(ids, "\n"), "publish")
	require.Zero(t, status, errs)
}

func (i *installation) drain(t *testing.T, args ...string) consumer.Summary {
	t.Helper()
	return ask[consumer.Summary](t, i, append([]string{"run", "--drain"}, args...)...)
}

// daemon is a program that runs until it is stopped.
type daemon struct {
	out, errs output
	cancel    context.CancelFunc
	ended     chan int
	seen      figuresSeen // by its scrapes
}

// start starts "run" and returns when it works.
func (i *installation) start(t *testing.T, args ...string) *daemon {
	t.Helper()
	return i.startUntil(t, func(d *daemon) bool { return strings.Contains(d.errs.String(), "is up to date") }, args...)
}

// startUntil starts "run" and returns when it is as wanted.
func (i *installation) startUntil(t *testing.T, is func(*daemon) bool, args ...string) *daemon {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	d := &daemon{cancel: cancel, ended: make(chan int, 1)}
	go func() {
		d.ended <- run(ctx, append([]string{"run"}, args...), i.env, strings.NewReader(""), &d.out, &d.errs)
	}()
	t.Cleanup(func() {
		d.stop(t)
		if t.Failed() {
			t.Log(d.errs.String())
		}
	})
	require.Eventually(t, func() bool {
		return is(d) || len(d.ended) > 0
	}, signalTimeout, pollEvery)
	return d
}

// stop does what SIGTERM does, and returns the exit status.
func (d *daemon) stop(t *testing.T) int {
	t.Helper()
	d.cancel()
	return d.wait(t)
}

// wait waits until the program has ended by itself.
func (d *daemon) wait(t *testing.T) int {
	t.Helper()
	select {
	case status := <-d.ended:
		d.ended <- status
		return status
	case <-time.After(signalTimeout):
		require.FailNow(t, "the program does not end")
	}
	return -1
}

// left is what is left of files.
type left struct{ rows, chunks, bytes int }

func (i *installation) left(t *testing.T, ids ...string) left {
	t.Helper()
	l := left{
		rows:   testenv.Value[int](t, i.Database, `SELECT count(*) FROM file WHERE id = ANY ($1)`, ids),
		chunks: testenv.Value[int](t, i.Database, `SELECT count(*) FROM document_chunk WHERE vmetadata->>'file_id' = ANY ($1)`, ids),
	}
	entries, err := os.ReadDir(i.uploads())
	require.NoError(t, err)
	there := map[string]int{}
	for _, entry := range entries {
		id, _, _ := strings.Cut(entry.Name(), "_")
		there[id]++
	}
	for _, id := range ids {
		l.bytes += there[id]
	}
	return l
}

// nothing is what is left of files that are gone.
var nothing = left{}

func TestDrainDeletesWhatNothingUses(t *testing.T) {
	t.Parallel()
	i := install(t)
	seeded := i.seed(t, 100, 40)
	i.publish(t, append(seeded.Orphans, seeded.InUse...)...)
	summary := i.drain(t)
	require.Equal(t, 40, summary.Deleted)
	require.Equal(t, 60, summary.Kept)
	require.Equal(t, nothing, i.left(t, seeded.Orphans...))
	kept := i.left(t, seeded.InUse...)
	require.Equal(t, 60, kept.rows)
	require.Equal(t, 60, kept.bytes)
	require.Equal(t, 60+12, kept.chunks, "a fifth of them has its chunk in a knowledge base too")

	lines := ask[[]map[string]any](t, i, "ledger")
	require.Len(t, lines, 40)
	line := ask[[]map[string]any](t, i, "ledger", seeded.Orphans[0])
	require.Len(t, line, 1)
	require.Equal(t, "deleted", line[0]["outcome"])
	require.Equal(t, "published by hand", line[0]["reason"])
}
