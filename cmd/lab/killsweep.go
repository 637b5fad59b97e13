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
	Engine    string `enum:"postgres,sqlite" default:"postgres" help:"Of the database: postgres (with pgvector) or sqlite (with embedded Chroma)."`
	Times     int    `default:"50" help:"How often."`
	Files     int    `default:"20000" help:"Files."`
	Orphans   int    `default:"3000" help:"How many of them nothing uses."`
	Leftovers int    `default:"1000" help:"Collections, and memories, that nothing uses, and as many of each in use."`
}

// sweepable is an installation whose files can lose their rows.
type sweepable interface {
	// loseRows deletes the rows of the first orphans, as the application does: their
	// vectors and bytes stay.
	loseRows(ctx context.Context, n int) error
	// forgetProgress spares the wait for the lease of the killed, and for an hour to
	// pass until what they reported is reported again.
	forgetProgress(ctx context.Context) error
}

func (c *killSweepCmd) seedInstallation(ctx context.Context, l *lab) (*sweepKills, error) {
	o := testenv.SeedOptions{Files: c.Files, Orphans: c.Orphans, ChunksPerFile: 2, Vectors: testenv.VectorOptions{Dim: 8}}
	if c.Engine == "sqlite" {
		f, err := l.seedFolder(ctx, folderSeed{SeedOptions: o, words: fewWords, leftovers: leftovers(c.Leftovers)})
		if err != nil {
			return nil, err
		}
		p, err := newPromises(ctx, f.installation, f)
		return &sweepKills{p, f}, err
	}
	w, err := l.seedWorld(ctx, o, true)
	if err == nil {
		err = w.seedLeftovers(ctx, leftovers(c.Leftovers))
	}
	if err != nil {
		return nil, err
	}
	p, err := newPromises(ctx, w.installation, w)
	return &sweepKills{p, w}, err
}

// sweepKills are sweeps that are killed.
type sweepKills struct {
	*promises
	sweepable
}

// Run kills sweeps with SIGKILL at random moments. Whatever they had published by
// then, no event may be about a file in use that acts on it, and one sweep that is
// not killed and a drain must leave nothing unused.
func (c *killSweepCmd) Run(ctx context.Context, l *lab) error {
	k, err := c.seedInstallation(ctx, l)
	if err != nil {
		return err
	}
	// Without a row it is the bytes that have to be old enough, and nobody can set back
	// when they were written.
	k.stores = append(k.stores, "PRUNED_MIN_AGE=0")
	var whole swept
	for range 2 { // the first one builds the index
		if whole, err = k.runSweep(ctx, "PRUNED_MAX_FRACTION=1", "PRUNED_DRY_RUN=true"); err != nil {
			return err
		}
	}
	tries, err := k.killSweeps(ctx, c.Times, whole.wall)
	if err != nil {
		return err
	}
	if err := k.forgetProgress(ctx); err != nil {
		return err
	}
	last, err := k.runSweep(ctx, "PRUNED_MAX_FRACTION=1")
	if err != nil {
		return err
	}
	drains, err := k.killDrains(ctx, c.Times, whole.wall)
	if err != nil {
		return err
	}
	drained, err := k.drainQueue(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(k.checkNothingLost(ctx), k.checkNothingLeft(ctx)); err != nil {
		return err
	}
	if err := k.settleStore(ctx); err != nil {
		return err
	}
	if err := errors.Join(k.checkNothingLost(ctx), k.checkNothingLeft(ctx)); err != nil {
		return fmt.Errorf("after the vector store has started: %w", err)
	}
	fmt.Printf("killed %d of %d sweeps; the last one published %d events, about files, collections and memories; killed %d drains of them; the last one deleted %d and cleaned after %d: no file in use lost its row, vectors or bytes, none of %d collections and %d memories in use was lost, and nothing unused is left\n",
		c.Times, tries, last.Published, drains, drained.Deleted, drained.Gone, c.Leftovers, c.Leftovers)
	return nil
}

// killSweeps kills sweeps, before each of which more orphans have lost their rows.
func (k *sweepKills) killSweeps(ctx context.Context, times int, whole time.Duration) (tries int, err error) {
	lost := len(k.Orphans) / (2 * times) // rows, before each kill
	for killed := 0; killed < times; tries++ {
		if tries > 5*times {
			return tries, fmt.Errorf("of %d sweeps only %d were killed before they ended", tries, killed)
		}
		if err := errors.Join(k.loseRows(ctx, min(killed+1, times)*lost), k.forgetProgress(ctx)); err != nil {
			return tries, err
		}
		done, err := k.runAndKill(ctx, time.Duration(rand.Int64N(int64(whole))), []string{"sweep"}, "PRUNED_MAX_FRACTION=1")
		if err != nil {
			return tries, fmt.Errorf("sweep %d: %w", tries+1, err)
		}
		if !done {
			killed++
		}
		if err := k.checkNothingLost(ctx); err != nil {
			return tries, fmt.Errorf("after kill %d: %w", killed, err)
		}
	}
	return tries, nil
}

// killDrains kills drains of those events, until one gets to its end.
func (k *sweepKills) killDrains(ctx context.Context, times int, whole time.Duration) (killed int, err error) {
	for killed < times {
		done, err := k.runAndKill(ctx, time.Duration(rand.Int64N(int64(whole)*3/2)), []string{"run", "--drain"})
		if err != nil || done {
			return killed, err
		}
		killed++
		if err := k.checkNothingLost(ctx); err != nil {
			return killed, fmt.Errorf("after kill %d of a drain: %w", killed, err)
		}
	}
	return killed, nil
}

func (w *world) loseRows(ctx context.Context, n int) error {
	return w.withConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `DELETE FROM file WHERE id = ANY ($1)`, w.Orphans[:n])
		return err
	})
}

func (w *world) forgetProgress(ctx context.Context) error {
	return w.withConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `DELETE FROM pruned.lease; UPDATE pruned.candidate SET claimed_at = claimed_at - interval '2 hours'`)
		return err
	})
}

func (f *folder) loseRows(ctx context.Context, n int) error {
	return execSQLite(ctx, f.webui(), `DELETE FROM file WHERE id IN (SELECT value FROM json_each(?1))`, encodeIDs(f.Orphans[:n])...)
}

func (f *folder) forgetProgress(ctx context.Context) error {
	return errors.Join(execSQLite(ctx, f.webui(), `DELETE FROM pruned_lease`),
		execSQLite(ctx, f.webui(), `UPDATE pruned_candidate SET claimed_at = claimed_at - ?1`, (2*time.Hour).Microseconds()))
}
