package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo/repotest"
)

type killCmd struct {
	Times   int `default:"50" help:"How often."`
	Files   int `default:"20000" help:"Files."`
	Orphans int `default:"10000" help:"How many of them nothing uses."`
}

// Run kills drains with SIGKILL at random moments, looks each time whether a
// file in use lost anything, and in the end whether anything unused is left.
func (c *killCmd) Run(ctx context.Context) (err error) {
	l, err := newLab(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	w, err := l.seed(ctx, repotest.SeedOptions{Files: c.Files, Orphans: c.Orphans, ChunksPerFile: 2, Vectors: repotest.VectorOptions{Dim: 8}}, true)
	if err != nil {
		return err
	}
	ids := slices.Concat(w.Orphans, w.InUse)
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	if err := w.publish(ctx, ids); err != nil {
		return err
	}
	killed := 0
	for i := range c.Times {
		// At this rate the events last for all the kills.
		rate := fmt.Sprintf("PRUNED_RATE=%d", max(1, len(ids)/(2*c.Times)))
		done, err := w.killedAfter(ctx, time.Duration(rand.Int64N(int64(1500*time.Millisecond))), []string{"run", "--drain"}, rate)
		if err != nil {
			return fmt.Errorf("drain %d: %w", i+1, err)
		}
		if !done {
			killed++
		}
		if err := w.nothingLost(ctx); err != nil {
			return fmt.Errorf("after kill %d: %w", i+1, err)
		}
	}
	left, err := w.count(ctx, `SELECT count(*) FROM file WHERE id = ANY ($1)`, w.Orphans)
	if err != nil {
		return err
	}
	r, err := w.drain(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(w.nothingLost(ctx), w.nothingLeft(ctx)); err != nil {
		return err
	}
	fmt.Printf("killed %d of %d drains; %d orphans were left for the last one, which took %.1fs: no file in use lost its row, vectors or bytes, and nothing unused is left\n",
		killed, c.Times, left, r.wall.Seconds())
	return nil
}

// killedAfter starts a command and kills it, unless it ends before.
func (w *world) killedAfter(ctx context.Context, moment time.Duration, args []string, settings ...string) (done bool, err error) {
	cmd := exec.CommandContext(ctx, w.binary, args...)
	cmd.Env = append(w.environment(), append(settings, "PRUNED_BATCH=100")...)
	if err := cmd.Start(); err != nil {
		return false, err
	}
	timer := time.AfterFunc(moment, func() { _ = cmd.Process.Kill() })
	err = cmd.Wait()
	timer.Stop()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() < 0 {
		return false, nil // by the signal
	}
	return true, err
}

// nothingLost checks that every file in use has row, vectors and bytes.
func (w *world) nothingLost(ctx context.Context) error {
	rows, err := w.count(ctx, `SELECT count(*) FROM file WHERE id = ANY ($1)`, w.InUse)
	if err != nil {
		return err
	}
	chunks, err := w.count(ctx, `SELECT count(*) FROM document_chunk WHERE collection_name = ANY (SELECT 'file-' || id FROM unnest($1::text[]) id)`, w.InUse)
	if err != nil {
		return err
	}
	if rows != int64(len(w.InUse)) || chunks != int64(2*len(w.InUse)) {
		return fmt.Errorf("of %d files in use %d have a row, and they have %d of %d vectors", len(w.InUse), rows, chunks, 2*len(w.InUse))
	}
	return w.eachPath(ctx, w.InUse, func(path string) error {
		_, err := os.Stat(path)
		return err
	})
}

func (w *world) eachPath(ctx context.Context, ids []string, fn func(path string) error) error {
	var paths []string
	err := w.connected(ctx, func(conn *pgx.Conn) (err error) {
		rows, _ := conn.Query(ctx, `SELECT path FROM file WHERE id = ANY ($1)`, ids)
		paths, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	for _, path := range paths {
		err = errors.Join(err, fn(path))
	}
	return err
}

// nothingLeft checks that orphans have no row, vectors, bytes or tombstones.
func (w *world) nothingLeft(ctx context.Context) error {
	for _, sql := range []string{
		`SELECT count(*) FROM file WHERE id = ANY ($1)`,
		`SELECT count(*) FROM document_chunk WHERE vmetadata ->> 'file_id' = ANY ($1)`,
		`SELECT count(*) FROM pruned.tombstone WHERE file_id = ANY ($1)`,
	} {
		n, err := w.count(ctx, sql, w.Orphans)
		if err == nil && n > 0 {
			err = fmt.Errorf("%d are left: %s", n, sql)
		}
		if err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(w.uploads())
	if err != nil {
		return err
	}
	// Every name begins with the id that it belongs to.
	inUse := map[string]bool{}
	for _, id := range w.InUse {
		inUse[id] = true
	}
	for _, entry := range entries {
		if id, _, _ := strings.Cut(entry.Name(), "_"); !inUse[id] {
			return fmt.Errorf("the bytes of an orphan are left: %s", entry.Name())
		}
	}
	return nil
}
