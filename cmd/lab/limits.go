package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats-server/v2/server"

	"pruned/repo/testenv"
)

// measureMemory measures the peak of the draining process with events that wait, their
// queue inside and outside of it.
func (b *bench) measureMemory(ctx context.Context) error {
	inside, outside := []int{10000, 100000}, []int{10000, 100000}
	if b.large {
		inside, outside = []int{200000}, []int{2000000}
	}
	var rows [][]string
	for _, way := range []struct {
		name    string
		outside bool
		events  []int
	}{{"queue in the process", false, inside}, {"NATS server beside it", true, outside}} {
		for _, events := range way.events {
			events /= b.shrink
			peak, err := b.measurePeak(ctx, events, way.outside)
			if err != nil {
				return err
			}
			rows = append(rows, []string{way.name, fmt.Sprint(events), fmt.Sprintf("%.0f MB", peak)})
		}
	}
	return printTable(fmt.Sprintf("Peak memory of the drain, all events waiting when it starts, each an orphan with one chunk, one worker, %d a batch", batch),
		[]string{"", "events", "peak memory"}, rows)
}

func (b *bench) measurePeak(ctx context.Context, events int, outside bool) (float64, error) {
	w, err := b.seedWorld(ctx, testenv.SeedOptions{
		Files: events, Orphans: events, ChunksPerFile: 1, Vectors: testenv.VectorOptions{Dim: 3}}, false)
	if err != nil {
		return 0, err
	}
	var settings []string
	if outside {
		nats, err := startNATS(filepath.Join(w.dir, "nats"))
		if err != nil {
			return 0, err
		}
		defer nats.WaitForShutdown()
		defer nats.Shutdown()
		settings = append(settings, "NATS_URL="+nats.ClientURL())
	}
	if err := w.publishEvents(ctx, w.Orphans, settings...); err != nil {
		return 0, err
	}
	r, err := w.drainAll(ctx, append(settings, "PRUNED_WORKERS=1", batchSetting)...)
	if err != nil {
		return 0, err
	}
	return r.peakMB, w.dropWorld(ctx)
}

// startNATS starts a server in this process: the program is another.
func startNATS(dir string) (*server.Server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true})
	if err != nil {
		return nil, err
	}
	s.Start()
	return s, nil
}

// measureSessions counts what PostgreSQL saw of a drain.
func (b *bench) measureSessions(ctx context.Context) error {
	var rows [][]string
	for _, orphans := range []int{10, 1000, 10000 / b.shrink} {
		w, err := b.seedWorld(ctx, testenv.SeedOptions{
			Files: orphans, Orphans: orphans, ChunksPerFile: 1, Vectors: testenv.VectorOptions{Dim: 3}}, false)
		if err != nil {
			return err
		}
		if err := w.publishEvents(ctx, w.Orphans); err != nil {
			return err
		}
		before, err := w.readStats(ctx)
		if err != nil {
			return err
		}
		if _, err := w.drainAll(ctx, "PRUNED_WORKERS=1", batchSetting); err != nil {
			return err
		}
		after, err := w.readStats(ctx)
		if err != nil {
			return err
		}
		rows = append(rows, []string{fmt.Sprint(orphans), fmt.Sprint(after[0] - before[0]), fmt.Sprint(after[1] - before[1]), fmt.Sprint(5 * orphans)})
		if err := w.dropWorld(ctx); err != nil {
			return err
		}
	}
	return printTable(fmt.Sprintf("Sessions and commits of a drain, %d a batch, one worker (pg_stat_database)", batch),
		[]string{"orphans", "sessions", "commits", "commits, one file at a time"}, rows)
}

// readStats reads sessions and commits of a database, seen from another. Sessions
// report when they end, so that a drain's are complete after its exit.
func (w *world) readStats(ctx context.Context) (stats [2]int64, err error) {
	err = w.adminWorld().withConn(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT sessions, xact_commit FROM pg_stat_database WHERE datname = $1`, w.database).Scan(&stats[0], &stats[1])
	})
	return stats, err
}
