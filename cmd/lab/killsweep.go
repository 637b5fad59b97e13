package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo/testenv"
)

type killSweepCmd struct {
	Times   int `default:"50" help:"How often."`
	Files   int `default:"20000" help:"Files."`
	Orphans int `default:"3000" help:"How many of them nothing uses."`
}

// killCollections are as many in use as nothing uses.
const killCollections = 1000

// checkCollections checks that those in use are there, and, at last, that no other is.
func (w *world) checkCollections(ctx context.Context, last bool) error {
	used, left, err := w.countCollections(ctx, 2*killCollections, killCollections)
	switch {
	case err != nil:
		return err
	case used != killCollections:
		return fmt.Errorf("of %d collections in use %d are left", killCollections, used)
	case last && left > 0:
		return fmt.Errorf("%d collections are left that nothing uses", left)
	}
	return nil
}

// Run kills sweeps with SIGKILL at random moments. Whatever they had published by
// then, no event may be about a file in use that acts on it, and one sweep that is
// not killed and a drain must leave nothing unused.
func (c *killSweepCmd) Run(ctx context.Context, l *lab) error {
	w, err := l.seedWorld(ctx, testenv.SeedOptions{Files: c.Files, Orphans: c.Orphans, ChunksPerFile: 2, Vectors: testenv.VectorOptions{Dim: 8}}, true)
	if err != nil {
		return err
	}
	p, err := newPromises(ctx, w.installation, w)
	if err != nil {
		return err
	}
	if err := w.seedCollections(ctx, 2*killCollections, killCollections); err != nil {
		return err
	}
	var whole swept
	for range 2 { // the first one builds the index
		if whole, err = w.runSweep(ctx, "PRUNED_MAX_FRACTION=1", "PRUNED_DRY_RUN=true"); err != nil {
			return err
		}
	}
	killed, tries := 0, 0
	lost := c.Orphans / (2 * c.Times) // rows, before each kill
	for ; killed < c.Times; tries++ {
		if tries > 5*c.Times {
			return fmt.Errorf("of %d sweeps only %d were killed before they ended", tries, killed)
		}
		if err := errors.Join(w.loseRows(ctx, min(killed+1, c.Times)*lost), w.forgetProgress(ctx)); err != nil {
			return err
		}
		done, err := w.runAndKill(ctx, time.Duration(rand.Int64N(int64(whole.wall))), []string{"sweep"}, "PRUNED_MAX_FRACTION=1")
		if err != nil {
			return fmt.Errorf("sweep %d: %w", tries+1, err)
		}
		if !done {
			killed++
		}
		if err := errors.Join(p.checkNothingLost(ctx), w.checkCollections(ctx, false)); err != nil {
			return fmt.Errorf("after kill %d: %w", killed, err)
		}
	}
	if err := w.forgetProgress(ctx); err != nil {
		return err
	}
	last, err := w.runSweep(ctx, "PRUNED_MAX_FRACTION=1")
	if err != nil {
		return err
	}
	drained, err := w.drainQueue(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(p.checkNothingLost(ctx), p.checkNothingLeft(ctx), w.checkCollections(ctx, true)); err != nil {
		return err
	}
	fmt.Printf("killed %d of %d sweeps; the last one published %d events, the drain deleted %d files and collections and cleaned after %d: no file in use lost its row, vectors or bytes, none of %d collections in use was lost, and nothing unused is left\n",
		killed, tries, last.Published, drained.Deleted, drained.Gone, killCollections)
	return nil
}

// loseRows deletes the rows of the first orphans, as the application does: their
// vectors and bytes stay. Without a row it is the bytes that have to be old enough,
// and nobody can set back when they were written.
func (w *world) loseRows(ctx context.Context, n int) error {
	w.stores = append(w.stores, "PRUNED_MIN_AGE=0")
	return w.withConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `DELETE FROM file WHERE id = ANY ($1)`, w.Orphans[:n])
		return err
	})
}

// forgetProgress spares the wait for the lease of the killed, and for an hour to
// pass until what they reported is reported again.
func (w *world) forgetProgress(ctx context.Context) error {
	return w.withConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `DELETE FROM pruned.lease; UPDATE pruned.candidate SET claimed_at = claimed_at - interval '2 hours'`)
		return err
	})
}
