package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/sqlite"
	"pruned/repo/testenv"
)

// BenchmarkFirstPass reads a webui.db of 474 MB whose chats mention 3,000,000
// UUIDs. With MANY_DB the database is kept there for the next run.
func BenchmarkFirstPass(b *testing.B) {
	path, ctx := many(b), context.Background()
	info, err := os.Stat(path)
	require.NoError(b, err)
	b.SetBytes(info.Size())
	for range b.N {
		db, err := sqlite.Open(ctx, sqlite.Options{Path: path})
		require.NoError(b, err)
		require.NoError(b, db.Migrate(ctx))
		before, busy := live(), collecting()
		b.ResetTimer()
		began, used := time.Now(), cpuSeconds(b)
		require.NoError(b, db.IndexAll(ctx, nil))
		took := time.Since(began)
		b.StopTimer()
		b.ReportMetric(cpuSeconds(b)-used, "CPU-s")
		b.ReportMetric(100*(collecting()-busy)/(took.Seconds()*float64(runtime.GOMAXPROCS(0))), "GC-%")
		b.ReportMetric(float64(live()-before)/float64(testenv.Many.UUIDs), "B/UUID")
		db.Close()
	}
}

func many(b *testing.B) string {
	path := os.Getenv("MANY_DB")
	if path == "" {
		path = filepath.Join(b.TempDir(), "webui.db")
	}
	if _, err := os.Stat(path); err != nil {
		require.NoError(b, testenv.SeedMany(context.Background(), path, testenv.Many))
	}
	return path
}

// cpuSeconds are what this process has used of all processors: they say the same on a
// machine that is busy.
func cpuSeconds(b *testing.B) float64 {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

// live are the bytes of the heap that are in use.
func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// collecting are the seconds that the collector has taken of all processors.
func collecting() float64 {
	runtime.GC() // which brings the figure up to date
	sample := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(sample)
	return sample[0].Value.Float64()
}
