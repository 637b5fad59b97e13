package sqlite_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/repo/openwebui"
	"pruned/repo/sqlite"
	"pruned/repo/testenv"
)

// BenchmarkDelete deletes 10,000 orphans among 20,000 files in a webui.db of
// about 1 GB, as many at a time as take 50 ms, while an application saves a chat ten
// times a second.
func BenchmarkDelete(b *testing.B) {
	for range b.N {
		path := filepath.Join(b.TempDir(), "webui.db")
		orphans := seed(b, path, 20_000, 20<<10, 50_000, 12<<10)
		benchmarkDelete(b, path, orphans)
	}
}

func seed(b *testing.B, path string, files, content, chats, text int) (orphans []string) {
	require.NoError(b, testenv.CopySQLite(context.Background(), path))
	app, err := testenv.OpenSQLite(path, "wal")
	require.NoError(b, err)
	defer app.Close()
	tx, err := app.Begin()
	require.NoError(b, err)
	random := make([]byte, max(content, text)*3/4)
	var used []string
	for i := range files {
		id := uuid.NewString()
		if i%2 == 0 {
			orphans = append(orphans, id)
		} else {
			used = append(used, id)
		}
		_, _ = rand.Read(random)
		_, err = tx.Exec(`INSERT INTO file (id, user_id, filename, meta, created_at, data, updated_at, path) VALUES (?, 'u', 'x.pdf', '{"size":5}', 1000, ?, 1000, ?)`,
			id, `{"status":"completed","content":"`+base64.StdEncoding.EncodeToString(random[:content*3/4])+`"}`, "/data/uploads/"+id+"_x.pdf")
		require.NoError(b, err)
	}
	for i := range chats {
		_, _ = rand.Read(random)
		_, err = tx.Exec(`INSERT INTO chat (id, user_id, title, chat, created_at, updated_at, archived, meta) VALUES (?, 'u', 't', ?, 1, 1, 0, '{}')`,
			fmt.Sprintf("chat-%d", i), `{"messages":[{"id":"`+uuid.NewString()+`","files":[{"id":"`+used[i%len(used)]+`"}],"content":"`+base64.StdEncoding.EncodeToString(random[:text*3/4])+`"}]}`)
		require.NoError(b, err)
	}
	require.NoError(b, tx.Commit())
	return orphans
}

func benchmarkDelete(b *testing.B, path string, orphans []string) {
	info, err := os.Stat(path)
	require.NoError(b, err)
	b.Logf("%d MB", info.Size()>>20)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	db, err := sqlite.Open(ctx, sqlite.Options{Path: path})
	require.NoError(b, err)
	defer db.Close()
	require.NoError(b, db.Migrate(ctx))
	start := time.Now()
	require.NoError(b, db.IndexAll(ctx, nil))
	b.Logf("first pass %s", time.Since(start))

	var background sync.WaitGroup
	var latencies []time.Duration
	background.Go(func() { latencies = application(ctx, b, path) })
	start = time.Now()
	n := 0
	var slowest time.Duration
	for size := 50; n < len(orphans); { // as the consumer does
		batch := orphans[n:min(n+size, len(orphans))]
		began := time.Now()
		held, err := deleteBatch(ctx, db, batch)
		require.NoError(b, err)
		slowest = max(slowest, time.Since(began))
		n += len(batch)
		size = max(1, min(int(float64(len(batch))*float64(db.MaxLockHold())/float64(held)), 2*size, 500))
	}
	took := time.Since(start)
	cancel()
	background.Wait()
	slices.Sort(latencies)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	status, _ := os.ReadFile("/proc/self/status")
	b.Logf("%d in %s, %.0f/s, slowest batch %s, longest lock %s; application: %d writes, median %s, worst %s; heap %d MB; %s", n, took, float64(n)/took.Seconds(),
		slowest, db.LongestLock(), len(latencies), latencies[len(latencies)/2], latencies[len(latencies)-1], m.HeapSys>>20, line(string(status), "VmHWM"))
	b.ReportMetric(float64(n)/took.Seconds(), "files/s")
	b.ReportMetric(float64(db.LongestLock().Milliseconds()), "lock-ms")
}

// line is the line of a text that begins with a word.
func line(text, word string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, word) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func application(ctx context.Context, b *testing.B, path string) (took []time.Duration) {
	app, err := testenv.OpenSQLite(path, "wal")
	require.NoError(b, err)
	defer app.Close()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	random := make([]byte, 9<<10)
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return took
		case <-ticker.C:
		}
		_, _ = rand.Read(random)
		began := time.Now()
		_, err := app.Exec(`UPDATE chat SET chat = ?, updated_at = ? WHERE id = ?`, `{"x":"`+base64.StdEncoding.EncodeToString(random)+`"}`, i, fmt.Sprintf("chat-%d", i*37%1000))
		require.NoError(b, err)
		took = append(took, time.Since(began))
	}
}

func deleteBatch(ctx context.Context, db *sqlite.DB, ids []string) (held time.Duration, err error) {
	var since time.Time
	defer func() { held = time.Since(since) }()
	return held, db.InTx(ctx, nil, func(tx repo.Tx) error {
		locked, err := db.Lock(ctx, tx, ids, repo.Ages{})
		since = locked.Since
		if err != nil {
			return err
		}
		look, err := db.FindReferences(ctx, tx, ids)
		if err != nil {
			return err
		}
		if len(look.Referenced)+len(look.Unknown) > 0 || len(locked.Files) != len(ids) {
			return fmt.Errorf("%d are kept, %d unknown", len(look.Referenced), len(look.Unknown))
		}
		deleted, err := db.Delete(ctx, tx, ids, 0)
		if err != nil {
			return err
		}
		var stones []repo.Tombstone
		var entries []repo.Entry
		for _, d := range deleted {
			stones = append(stones, repo.Tombstone{Kind: repo.Bytes, FileID: d.ID, Name: openwebui.BaseName(d.Path)}, repo.Tombstone{Kind: repo.Vectors, FileID: d.ID})
			entries = append(entries, repo.Entry{FileID: d.ID, Path: d.Path, Outcome: "deleted"})
		}
		if err := db.AddTombstones(ctx, tx, stones); err != nil {
			return err
		}
		return db.RecordEntries(ctx, tx, entries)
	})
}
