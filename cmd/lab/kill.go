package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"time"

	"pruned/repo/testenv"
)

type killCmd struct {
	Engine    string `enum:"postgres,sqlite" default:"postgres" help:"Of the database: postgres (with pgvector) or sqlite (with embedded Chroma)."`
	Vectors   string `enum:"own,chroma,milvus,weaviate,opensearch,mariadb" default:"own" help:"Where the vectors are: own (as the engine has them), or a server of chroma, milvus, weaviate, opensearch or mariadb (with postgres)."`
	Bytes     string `enum:"folder,s3,gcs,azure" default:"folder" help:"Where the bytes are: folder, s3, gcs or azure (the last three with postgres)."`
	Times     int    `default:"50" help:"How often."`
	Files     int    `default:"20000" help:"Files."`
	Orphans   int    `default:"10000" help:"How many of them nothing uses."`
	Leftovers int    `default:"500" help:"Collections, and memories, that nothing uses, and as many of each in use."`
}

// Run kills drains with SIGKILL at random moments, looks each time whether anything in
// use lost anything, and in the end whether anything unused is left.
func (c *killCmd) Run(ctx context.Context, l *lab) error {
	p, err := c.seedInstallation(ctx, l)
	if err != nil {
		return err
	}
	if err := p.recordLeftovers(ctx); err != nil {
		return err
	}
	if w, is := p.counted.(*world); is {
		if err := w.bindServers(ctx); err != nil {
			return err
		}
	}
	all := p.shuffledSubjects()
	k := &kills{promises: p, times: c.Times, unpublished: all, portion: max(1, len(all)/(2*c.Times))}
	if err := k.killDrains(ctx); err != nil {
		return err
	}
	return k.runLast(ctx)
}

const chunksPerFile = 2

func (c *killCmd) seedInstallation(ctx context.Context, l *lab) (*promises, error) {
	o := testenv.SeedOptions{Files: c.Files, Orphans: c.Orphans, ChunksPerFile: chunksPerFile, Vectors: testenv.VectorOptions{Dim: 8}}
	if c.Engine == "sqlite" {
		f, err := l.seedFolder(ctx, folderSeed{SeedOptions: o, words: fewWords, sharedEvery: 10, leftovers: leftovers(c.Leftovers)})
		if err != nil {
			return nil, err
		}
		return newPromises(ctx, f.installation, f)
	}
	w, err := l.seedWorld(ctx, o, true)
	if err == nil {
		err = w.copyIntoKnowledge(ctx)
	}
	if err == nil {
		err = w.seedLeftovers(ctx, leftovers(c.Leftovers))
	}
	if err == nil && c.Vectors != "own" {
		err = w.moveVectors(ctx, c.Vectors)
	}
	if err == nil && c.Bytes != "folder" {
		err = w.moveBytes(ctx, c.Bytes)
	}
	if err != nil {
		return nil, err
	}
	return newPromises(ctx, w.installation, w)
}

// kills are drains that are killed. Each has a portion of the events to begin
// with, beside what those before left: so some of them get as far as to what
// comes after the commits, and are killed in the midst of that.
type kills struct {
	*promises
	times       int
	unpublished []subject // not yet published
	portion     int
	afterEach   func(context.Context) error // what else is done after a drain, or nil
	whole       time.Duration               // what the last drain took that was not killed

	tries, killed, entombed, torn int
}

// killDrains starts drains until as many as wanted were killed.
func (k *kills) killDrains(ctx context.Context) error {
	for ; k.killed < k.times; k.tries++ {
		if err := k.publishSome(ctx, k.portion); err != nil {
			return err
		}
		moment := time.Hour // the first one tells how long they take
		if k.whole > 0 {
			moment = time.Duration(rand.Int64N(int64(k.whole) * 3 / 2))
		}
		began := time.Now()
		done, err := k.runAndKill(ctx, moment, []string{"run", "--drain"})
		if err != nil {
			return fmt.Errorf("drain %d: %w", k.tries+1, err)
		}
		if done {
			k.whole = time.Since(began)
		} else if err := k.noteKill(ctx); err != nil {
			return err
		}
		err = k.checkNothingLost(ctx)
		if err == nil && k.afterEach != nil {
			err = k.afterEach(ctx)
		}
		if err != nil {
			return fmt.Errorf("after kill %d: %w", k.killed, err)
		}
	}
	return nil
}

// publishSome stops when all are published.
func (k *kills) publishSome(ctx context.Context, n int) error {
	n = min(n, len(k.unpublished))
	if n == 0 {
		return nil
	}
	some := k.unpublished[:n]
	k.unpublished = k.unpublished[n:]
	return k.publishSubjects(ctx, some)
}

// noteKill notes what a kill interrupted.
func (k *kills) noteKill(ctx context.Context) error {
	k.killed++
	h, err := k.countHeld(ctx, k.Orphans)
	if err != nil {
		return err
	}
	if h.tombstones > 0 {
		k.entombed++
	}
	torn, err := k.countTorn(ctx)
	if torn > 0 {
		k.torn++
	}
	return err
}

// runLast is the drain that nobody kills, of what the killed have left, and one of
// the events that have not been made yet.
func (k *kills) runLast(ctx context.Context) error {
	left, err := k.countHeld(ctx, k.Orphans)
	if err != nil {
		return err
	}
	r, err := k.drainQueue(ctx)
	if err != nil {
		return err
	}
	if err := k.publishSome(ctx, len(k.unpublished)); err != nil {
		return err
	}
	rest, err := k.drainQueue(ctx)
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
		return fmt.Errorf("after the vector store has carried out what waited: %w", err)
	}
	fmt.Printf("killed %d of %d drains: %d times there were tombstones then, %d times a collection that was removed in part. "+
		"For the last one %d rows of orphans and %d tombstones were left, which took %.1fs; %d tombstones waited for the vector store. "+
		"No file in use lost its row, vectors or bytes, none of %d collections and %d memories in use was lost, and nothing unused is left\n",
		k.killed, k.tries, k.entombed, k.torn, left.rows, left.tombstones, r.wall.Seconds(), rest.Waiting, k.leftovers, k.leftovers)
	return nil
}

// runAndKill starts a command and kills it, unless it ends before.
func (i *installation) runAndKill(ctx context.Context, moment time.Duration, args []string, settings ...string) (done bool, err error) {
	cmd := exec.CommandContext(ctx, i.binary, args...)
	cmd.Env = append(i.environment(), append(settings, "PRUNED_BATCH=100")...)
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
