package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"pruned/consumer/loop"
)

type replicasCmd struct {
	Files int    `default:"8000" help:"Files of each part, of which nothing uses one half."`
	Kills int    `default:"10" help:"How many daemons are killed."`
	Old   string `help:"A commit, whose build runs beside this one's."`
	Only  string `help:"Parts whose names match this expression."`
}

// Run has three daemons work on one PostgreSQL and one JetStream of three servers, and prints
// what came of it.
func (c *replicasCmd) Run(ctx context.Context, l *lab) error {
	only, err := regexp.Compile(c.Only)
	if err != nil {
		return err
	}
	parts := []struct {
		name string
		run  func(context.Context, *replicas) (string, error)
	}{
		{"nothing happens", c.share},
		{"daemons are killed", c.killSome},
		{"the network of one is cut", c.cutOne},
	}
	if c.Old != "" {
		parts = append(parts, struct {
			name string
			run  func(context.Context, *replicas) (string, error)
		}{"a rolling upgrade from " + c.Old, c.upgrade})
	}
	var rows [][]string
	for _, part := range parts {
		if !only.MatchString(part.name) {
			continue
		}
		found, err := l.withReplicas(ctx, c.Files, part.run)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		rows = append(rows, []string{part.name, found})
		fmt.Printf("%s: %s\n", part.name, found)
	}
	return printTable(fmt.Sprintf("Three daemons, one PostgreSQL, one stream on three servers of JetStream; %d files each time, of which nothing uses one half. No file in use lost its row, vectors or bytes, and nothing unused was left", c.Files),
		[]string{"", ""}, rows)
}

// replicas are three daemons beside each other.
type replicas struct {
	*scene
	begun int // daemons so far
}

// takenOver is how long the work of a daemon that died may wait.
const takenOver = 20 * time.Second

func (l *lab) withReplicas(ctx context.Context, files int, run func(context.Context, *replicas) (string, error)) (found string, err error) {
	s, err := l.openScene(ctx, files, files/2, 3)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return run(ctx, &replicas{scene: s})
}

// begin starts a daemon in a network of its own.
func (r *replicas) begin(binary string) error {
	n, err := r.openNetwork()
	if err != nil {
		return err
	}
	r.begun++
	d, err := r.startReplica(fmt.Sprintf("daemon-%d", r.begun), binary, append(n.settings(r.world.database), slowly...)...)
	if err != nil {
		return err
	}
	d.network = n
	r.daemons = append(r.daemons, d)
	return nil
}

// beginThree starts three, and has events about every file published while they are paused:
// so none has done half of the work before another has begun.
func (r *replicas) beginThree(ctx context.Context, binary string) error {
	for range 3 {
		if err := r.begin(binary); err != nil {
			return err
		}
		// One after the other: older builds could not make the streams together.
		if err := await(ctx, limit, func() error { return r.checkReady(ctx) }); err != nil {
			return err
		}
	}
	if _, _, err := r.runProgram(ctx, nil, nil, nil, "pause"); err != nil {
		return err
	}
	for range eventsPerFile {
		if err := r.publishEvents(ctx, r.shuffledIDs()); err != nil {
			return err
		}
	}
	_, _, err := r.runProgram(ctx, nil, nil, nil, "resume")
	return err
}

// eventsPerFile makes enough batches for three daemons: they grow, in each at its own pace.
const eventsPerFile = 4

// share checks that each has a fair part of the work, and that one sweeps at a time.
func (c *replicasCmd) share(ctx context.Context, r *replicas) (string, error) {
	if err := r.beginThree(ctx, r.binary); err != nil {
		return "", err
	}
	if err := r.awaitEnd(ctx); err != nil {
		return "", err
	}
	var handled []int
	all := 0
	for _, d := range r.daemons {
		n, err := d.countEvents()
		if err != nil {
			return "", err
		}
		handled, all = append(handled, n), all+n
	}
	if least := slices.Min(handled); least*5 < all {
		return "", fmt.Errorf("of %d events the daemons handled %d", all, handled)
	}
	sweeps, err := r.checkSweeps()
	return fmt.Sprintf("they handled %d events; %d sweeps, one at a time", handled, sweeps), err
}

// checkSweeps checks that no two swept at once, and returns how many sweeps there were.
func (r *replicas) checkSweeps() (n int, err error) {
	var spans []span
	for _, d := range r.daemons {
		list, err := d.entries()
		if err != nil {
			return 0, err
		}
		for _, e := range list {
			if e.Message == "sweep" {
				took := time.Duration(e.Took * float64(time.Millisecond))
				spans = append(spans, span{e.Time.Add(-took), e.Time})
			}
		}
	}
	return len(spans), checkApart(spans)
}

// killSome kills one daemon after the other while they work, and starts others in their
// place. The last one is killed with something in hand: its network is slow.
func (c *replicasCmd) killSome(ctx context.Context, r *replicas) (string, error) {
	if err := r.beginThree(ctx, r.binary); err != nil {
		return "", err
	}
	for n := range c.Kills {
		if err := r.awaitDeleted(ctx, (n+1)*len(r.Orphans)/(2*c.Kills)); err != nil {
			return "", err
		}
		loop.Sleep(ctx, rand.N(time.Second))
		if err := r.end(r.daemons[rand.IntN(len(r.daemons))], (*replica).kill); err != nil {
			return "", err
		}
		if err := r.begin(r.binary); err != nil {
			return "", err
		}
		if err := r.checkNothingLost(ctx); err != nil {
			return "", err
		}
	}
	victim, inHand, err := r.slowOne(ctx)
	if err != nil {
		return "", err
	}
	killed := time.Now()
	if err := r.end(victim, (*replica).kill); err != nil {
		return "", err
	}
	if err := await(ctx, takenOver, func() error { return r.queue.checkSettled(ctx) }); err != nil {
		return "", fmt.Errorf("the work of a daemon that was killed %s ago: %w", time.Since(killed).Round(time.Second), err)
	}
	took := time.Since(killed)
	return fmt.Sprintf("%d killed; another had %d events in hand, which were done %.1f s after it was killed", c.Kills, inHand, took.Seconds()),
		r.awaitEnd(ctx)
}

// end ends a daemon, and forgets it.
func (r *replicas) end(d *replica, how func(*replica) error) error {
	r.daemons = slices.DeleteFunc(r.daemons, func(other *replica) bool { return other == d })
	return how(d)
}

// slowOne slows the network of a daemon to its database, and returns when nothing is left but
// what it has in hand.
func (r *replicas) slowOne(ctx context.Context) (victim *replica, inHand int, err error) {
	victim = r.daemons[0]
	if err := victim.network.database.slow(); err != nil {
		return nil, 0, err
	}
	for range 10 {
		if err := r.publishEvents(ctx, r.InUse); err != nil {
			return nil, 0, err
		}
		inHand, err = r.awaitTaken(ctx)
		if err != nil || inHand > 0 {
			return victim, inHand, err
		}
	}
	return nil, 0, errors.New("a daemon in a slow network has nothing in hand when the others are done")
}

// awaitTaken waits until no event waits, and returns how many are in hand then.
func (r *replicas) awaitTaken(ctx context.Context) (inHand int, err error) {
	err = await(ctx, limit, func() (err error) {
		var waiting int
		if waiting, inHand, err = r.queue.countUnsettled(ctx); err == nil && waiting > 0 {
			err = fmt.Errorf("%d events wait", waiting)
		}
		return err
	})
	return inHand, err
}

// cutOne cuts a daemon that has something in hand off from its servers, in each way for as
// long as others take to do its work.
func (c *replicasCmd) cutOne(ctx context.Context, r *replicas) (string, error) {
	if err := r.beginThree(ctx, r.binary); err != nil {
		return "", err
	}
	found := ""
	for _, way := range []struct {
		name  string
		links func(*network) []*link
		cut   func(*link) error
	}{
		{"queue, cut", (*network).toQueue, (*link).cut},
		{"queue, silent", (*network).toQueue, (*link).swallow},
		{"database, cut", (*network).toDatabase, (*link).cut},
		{"database, silent", (*network).toDatabase, (*link).swallow},
		{"both, silent", (*network).links, (*link).swallow},
	} {
		victim, inHand, err := r.slowOne(ctx)
		if err != nil {
			return "", err
		}
		links := way.links(victim.network)
		if err := each(links, way.cut); err != nil {
			return "", err
		}
		began := time.Now()
		if err := await(ctx, limit, func() error { return r.queue.checkSettled(ctx) }); err != nil {
			return "", fmt.Errorf("%s: %w", way.name, err)
		}
		found += fmt.Sprintf("; %s: %d events in hand, done after %.1f s", way.name, inHand, time.Since(began).Seconds())
		if err := victim.network.restore(ctx); err != nil {
			return "", err
		}
		if err := r.awaitEnd(ctx); err != nil {
			return "", fmt.Errorf("%s: %w", way.name, err)
		}
	}
	return found[2:], nil
}

// upgrade replaces three daemons of an older build one after the other, while they work.
func (c *replicasCmd) upgrade(ctx context.Context, r *replicas) (string, error) {
	old, err := r.build(ctx, c.Old)
	if err != nil {
		return "", err
	}
	if err := r.beginThree(ctx, old); err != nil {
		return "", err
	}
	for n := range 3 {
		if err := r.awaitDeleted(ctx, (n+1)*len(r.Orphans)/5); err != nil {
			return "", err
		}
		if err := r.end(r.daemons[0], (*replica).stop); err != nil {
			return "", err
		}
		if err := r.begin(r.binary); err != nil {
			return "", err
		}
	}
	return "one after the other was stopped and started anew", r.awaitEnd(ctx)
}

// build builds the program as it was at a commit.
func (l *lab) build(ctx context.Context, commit string) (binary string, err error) {
	tree, binary := filepath.Join(l.dir, "tree"), filepath.Join(l.dir, "old.bin")
	git := func(args ...string) error { return exec.CommandContext(ctx, "git", args...).Run() }
	if err := git("worktree", "add", "--detach", tree, commit); err != nil {
		return "", fmt.Errorf("take commit %s: %w", commit, err)
	}
	defer func() { err = errors.Join(err, git("worktree", "remove", "--force", tree)) }()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "pruned/cmd/pruned")
	cmd.Dir, cmd.Env = tree, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build commit %s: %w\n%s", commit, err, out)
	}
	return binary, nil
}
