package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"pruned/consumer/loop"
	"pruned/repo/testenv"
)

type chaosCmd struct {
	Files int    `default:"400" help:"Files of each world, of which nothing uses one half."`
	Only  string `help:"Faults whose names match this expression."`
}

// fault is something that goes wrong in the midst of the work.
type fault struct {
	name    string
	nodes   int                                // servers of the queue; one if zero
	files   int                                // of its world, at most; as many as asked for if zero
	server  []string                           // settings of PostgreSQL's
	clock   bool                               // of PostgreSQL's, can be moved
	folder  bool                               // on SQLite, with the queue in the daemon
	with    []string                           // settings of the daemon
	schema  string                             // of Open WebUI's database; empty: the newest
	release string                             // of Open WebUI, that made the database; empty: the newest
	prepare func(context.Context, *ruin) error // before the daemon starts; may be nil
	provoke func(context.Context, *ruin) error // in the midst of the work
	lift    func(context.Context, *ruin) error // may be nil: it passes by itself
	unready string                             // what /readyz says meanwhile; empty: it need not notice
	lasts   time.Duration                      // how long at least, where it need not be noticed
	logged  string                             // what the log says in the end, and before it is lifted where it lasts; empty: nothing
}

// ruin is a scene that a fault comes over, with what the fault needs.
type ruin struct {
	*scene
	standby *testenv.Server
	pooler  *testenv.Pooler
	store   *link                         // to a server of vectors or bytes
	way     *link                         // from a standby to its server
	clock   clock                         // the daemon's, in a build of its own
	disks   []string                      // mounted
	undo    []func(context.Context) error // by lift, the last first
}

// slowRate is what a daemon may handle a second, so that a fault comes in the midst of it.
const slowRate = 60

// Run provokes one fault after the other, each in a world of its own, and prints what came of
// each.
func (c *chaosCmd) Run(ctx context.Context, l *lab) error {
	only, err := regexp.Compile(c.Only)
	if err != nil {
		return err
	}
	var rows [][]string
	var failed error
	for _, f := range faults() {
		if !only.MatchString(f.name) {
			continue
		}
		r, err := l.survive(ctx, f, min(c.Files, cmp.Or(f.files, c.Files)))
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", f.name, err))
			r.result = "FAILED"
		}
		rows = append(rows, []string{f.name, r.unready, r.recovered, r.result})
		fmt.Printf("%s: %s, %s %s\n", f.name, r.recovered, r.result, r.unready)
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed, printTable(fmt.Sprintf("Faults in the midst of the work: %d files, of which nothing uses one half, a daemon at %d events a second. "+
		"Recovered: from the end of the fault until it was ready, nothing unused was left and every event was settled, without a person. "+
		"Whole: no file in use lost its row, vectors or bytes, and no event became a dead letter", c.Files, slowRate),
		[]string{"fault", "not ready, since", "recovered", ""}, rows))
}

// survived is what came of a fault.
type survived struct{ unready, recovered, result string }

// survive has a daemon work, provokes a fault in the midst of it, lifts it once the daemon
// has noticed, and waits until everything is done.
func (l *lab) survive(ctx context.Context, f fault, files int) (s survived, err error) {
	r, err := l.openRuin(ctx, f, files)
	defer func() { err = errors.Join(r.withLog(err), r.close()) }()
	if err != nil {
		return s, err
	}
	if err := r.work(ctx, f.with); err != nil {
		return s, err
	}
	if err := f.provoke(ctx, r); err != nil {
		return s, fmt.Errorf("provoke it: %w", err)
	}
	if s.unready, err = r.awaitNoticed(ctx, f); err != nil {
		return s, err
	}
	if f.lift != nil {
		if err := f.lift(ctx, r); err != nil {
			return s, fmt.Errorf("lift it: %w", err)
		}
	}
	lifted := time.Now()
	if err := r.awaitEnd(ctx); err != nil {
		return s, err
	}
	s.recovered, s.result = fmt.Sprintf("%.1f s", time.Since(lifted).Seconds()), "whole"
	if f.logged != "" {
		return s, r.daemons[0].says(f.logged)
	}
	return s, nil
}

func (l *lab) openRuin(ctx context.Context, f fault, files int) (r *ruin, err error) {
	r = &ruin{}
	own := &lab{dir: l.dir, binary: l.binary, worlds: l.worlds, schema: f.schema, release: f.release}
	l.worlds++
	if f.folder {
		r.scene, err = own.openFolder(ctx, files, files/2)
	} else if own.server, err = testenv.StartServer(ctx, testenv.ServerOptions{Settings: f.server, Clock: f.clock}); err == nil {
		r.scene, err = own.openScene(ctx, files, files/2, max(f.nodes, 1))
	}
	if err == nil && f.prepare != nil {
		err = f.prepare(ctx, r)
	}
	return r, err
}

func (r *ruin) close() error {
	err := r.scene.close()
	if r.pooler != nil {
		err = errors.Join(err, r.pooler.Stop())
	}
	if r.standby != nil {
		err = errors.Join(err, r.standby.Stop())
	}
	for _, l := range []*link{r.store, r.way} {
		if l != nil {
			l.proxy.Stop()
		}
	}
	for _, disk := range r.disks {
		err = errors.Join(err, exec.Command("umount", "--lazy", disk).Run())
		_ = os.Remove(disk) // where only the disk was mounted; else it is not empty
	}
	if r.world != nil {
		err = errors.Join(err, r.world.endServers())
	}
	return err
}

// work starts a daemon, has events published, and returns once it has done a part of them.
func (r *ruin) work(ctx context.Context, with []string) error {
	d, err := r.startReplica("daemon", r.binary, slices.Concat(slowly, []string{fmt.Sprintf("PRUNED_RATE=%d", slowRate)}, with)...)
	if err != nil {
		return err
	}
	r.daemons = append(r.daemons, d)
	if err := await(ctx, limit, func() error { return r.checkReady(ctx) }); err != nil {
		return err
	}
	if r.network != nil { // a batch takes a second: so a fault comes in the midst of one
		if err := r.network.database.delay(20); err != nil {
			return err
		}
	}
	if err := r.publishEvents(ctx, r.shuffledIDs()); err != nil {
		return err
	}
	return r.awaitDeleted(ctx, len(r.Orphans)/5)
}

// withLog adds to a failure how the log of the daemon ends.
func (r *ruin) withLog(err error) error {
	if err == nil || r.scene == nil || len(r.daemons) == 0 {
		return err
	}
	log, _ := os.ReadFile(r.daemons[0].log) // without it there is nothing to add
	return fmt.Errorf("%w; the log ends with\n%s", err, log[max(0, len(log)-3000):])
}

// unnoticed is how long a fault lasts that nobody need notice.
const unnoticed = 3 * time.Second

// awaitNoticed waits until the daemon says what is wrong, and returns how long that took and
// how it begins. What a store removes comes in turns, between which there are rests.
func (r *ruin) awaitNoticed(ctx context.Context, f fault) (string, error) {
	if f.unready == "" {
		loop.Sleep(ctx, max(f.lasts, unnoticed))
		if f.lasts == 0 || f.logged == "" {
			return "", nil
		}
		return "", await(ctx, limit, func() error { return r.daemons[0].says(f.logged) })
	}
	began := time.Now()
	said := ""
	err := await(ctx, limit, func() error {
		err := r.checkReady(ctx)
		if err == nil {
			return errors.New("it says that it is ready")
		}
		if !strings.Contains(err.Error(), f.unready) {
			return fmt.Errorf("it does not say %q: %w", f.unready, err)
		}
		said = f.unready
		return nil
	})
	return fmt.Sprintf("%.1f s: ... %s", time.Since(began).Seconds(), said), err
}

// later has lift do something.
func (r *ruin) later(undo func(context.Context) error) { r.undo = append(r.undo, undo) }

// undoAll is the lift of faults that said what to undo.
func undoAll(ctx context.Context, r *ruin) (err error) {
	for i := len(r.undo) - 1; i >= 0; i-- {
		err = errors.Join(err, r.undo[i](ctx))
	}
	return err
}

// faults are all of them.
func faults() []fault {
	var all []fault
	for _, some := range [][]fault{databaseFaults, queueFaults(), networkFaults, uploadFaults, storeFaults, clockFaults} {
		all = append(all, some...)
	}
	return all
}
