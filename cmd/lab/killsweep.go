package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo/repotest"
)

type killSweepCmd struct {
	Times   int `default:"50" help:"How often."`
	Files   int `default:"20000" help:"Files."`
	Orphans int `default:"3000" help:"How many of them nothing uses."`
}

// Run kills sweeps with SIGKILL at random moments. Whatever they had published by
// then, no claim may be about a file in use that acts on it, and one sweep that is
// not killed and a drain must leave nothing unused.
func (c *killSweepCmd) Run(ctx context.Context) (err error) {
	l, err := newLab(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	w, err := l.seed(ctx, repotest.SeedOptions{Files: c.Files, Orphans: c.Orphans, ChunksPerFile: 2, Vectors: repotest.VectorOptions{Dim: 8}}, true)
	if err != nil {
		return err
	}
	if err := w.loseRows(ctx, c.Orphans/10); err != nil {
		return err
	}
	whole, err := w.sweep(ctx, "PRUNED_MAX_FRACTION=1", "PRUNED_DRY_RUN=true") // what a sweep takes, with the index built
	if err != nil {
		return err
	}
	killed := 0
	for i := range c.Times {
		if err := w.forgetProgress(ctx); err != nil {
			return err
		}
		done, err := w.killedAfter(ctx, time.Duration(rand.Int64N(int64(whole.wall))), []string{"sweep"}, "PRUNED_MAX_FRACTION=1")
		if err != nil {
			return fmt.Errorf("sweep %d: %w", i+1, err)
		}
		if !done {
			killed++
		}
		if err := w.nothingLost(ctx); err != nil {
			return fmt.Errorf("after kill %d: %w", i+1, err)
		}
		if i%10 != 9 {
			continue
		}
		if _, err := w.drain(ctx); err != nil { // what the killed ones had published
			return err
		}
		if err := w.nothingLost(ctx); err != nil {
			return fmt.Errorf("after kill %d and a drain: %w", i+1, err)
		}
	}
	if err := w.forgetProgress(ctx); err != nil {
		return err
	}
	last, err := w.sweep(ctx, "PRUNED_MAX_FRACTION=1")
	if err != nil {
		return err
	}
	if _, err := w.drain(ctx); err != nil {
		return err
	}
	if err := errors.Join(w.nothingLost(ctx), w.nothingLeft(ctx)); err != nil {
		return err
	}
	fmt.Printf("killed %d of %d sweeps; the last one published %d claims: no file in use lost its row, vectors or bytes, and nothing unused is left\n",
		killed, c.Times, last.Published)
	return nil
}

// loseRows deletes the rows of some orphans, as the application does: their
// vectors and bytes stay.
func (w *world) loseRows(ctx context.Context, n int) error {
	return w.connected(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `DELETE FROM file WHERE id = ANY ($1)`, w.Orphans[:n])
		return err
	})
}

// forgetProgress spares the wait for the lease of the killed, and for an hour to
// pass until what they claimed is claimed again.
func (w *world) forgetProgress(ctx context.Context) error {
	return w.connected(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `DELETE FROM pruned.lease; UPDATE pruned.candidate SET claimed_at = claimed_at - interval '2 hours'`)
		return err
	})
}
