package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

type faultsCmd struct {
	Engine string `enum:"postgres,sqlite" default:"postgres" help:"Of the database: postgres (with pgvector) or sqlite (with embedded Chroma)."`
	Each   int    `default:"10" help:"Files that nothing uses, for each moment of a deletion."`
}

// The moments at which a build with the tag faults ends itself (consumer/fault). Those of a deletion come in every drain, on the one engine or the other.
var (
	deletionPoints = []string{
		"lock", "find", "vectors", "delete", "record", "recheck", "commit", "committed", "told", "acked",
		"set taken", "object removed", "set removed", "set settled",
	}
	ofDatabase    = []string{"set removed in a transaction"}
	restorePoints = []string{"restore found", "restore written", "restore committed"}
	trashPoints   = []string{"trash emptied"}
	sweepPoints   = []string{"rows listed", "published", "rows published", "stores listed", "swept"}
)

// moment is one of them, and the signal by which the program ends.
type moment struct{ point, signal string }

func (m moment) String() string { return fmt.Sprintf("SIG%s at %q", m.signal, m.point) }

// inBothWays are moments at which the program is killed, and told to end.
func inBothWays(points ...string) (all []moment) {
	for _, point := range points {
		all = append(all, moment{point, "KILL"}, moment{point, "TERM"})
	}
	return all
}

// Run ends the program at each moment, and looks each time whether anything in use lost
// anything, and whether the next run does what is left.
func (c *faultsCmd) Run(ctx context.Context, l *lab) error {
	orphans := c.Each*len(inBothWays(slices.Concat(deletionPoints, ofDatabase)...)) + inTrash*len(inBothWays(trashPoints...)) + inSweeps
	made := killCmd{Engine: c.Engine, Vectors: "own", Bytes: "folder", Files: 2 * orphans, Orphans: orphans}
	p, err := made.seedInstallation(ctx, l)
	if err != nil {
		return err
	}
	f := &faulted{promises: p, binary: filepath.Join(l.dir, "faults.bin")}
	build := exec.CommandContext(ctx, "go", "build", "-tags", "faults", "-o", f.binary, "pruned/cmd/pruned")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the program with its moments: %w\n%s", err, out)
	}
	for _, part := range []func(context.Context) error{f.endRestores, f.endDeletions(c.Each), f.endSweeps} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("%s: ended by SIGKILL, and by SIGTERM, at each of %d moments: %s. Each time no file in use had lost its row, vectors or bytes, and the next run did what was left\n",
		c.Engine, len(f.ended), strings.Join(f.ended, ", "))
	return nil
}

// faulted is an installation whose program ends at moments.
type faulted struct {
	*promises
	binary string
	ended  []string
}

// endAt runs a command that must end at a moment.
func (f *faulted) endAt(ctx context.Context, m moment, args []string, settings ...string) error {
	ending, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ending, f.binary, args...)
	cmd.Env = append(f.environment(), append(settings, "FAULT_POINT="+m.point, "FAULT_SIGNAL="+m.signal)...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || ending.Err() != nil {
		return fmt.Errorf("%s: pruned %s: %w\n%s", m, strings.Join(args, " "), errors.Join(err, ending.Err()), out)
	}
	if !m.endedAs(cmd.ProcessState, string(out)) {
		return fmt.Errorf("%s: pruned %s did not end by it: %s\n%s", m, strings.Join(args, " "), cmd.ProcessState, out)
	}
	if m.signal == "KILL" {
		f.ended = append(f.ended, m.point)
	}
	if err := f.checkNothingLost(ctx); err != nil {
		return fmt.Errorf("after %s: %w", m, err)
	}
	return nil
}

// endedAs tells whether a program ended as it does by the signal: in order by SIGTERM.
func (m moment) endedAs(state *os.ProcessState, said string) bool {
	if m.signal == "TERM" {
		return state.Exited() && strings.Contains(said, "told to end at: "+m.point)
	}
	status, is := state.Sys().(syscall.WaitStatus)
	return is && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// checkGone checks that files have neither row nor bytes. Vectors may wait for their store.
func (f *faulted) checkGone(ctx context.Context, m moment, ids []string) error {
	h, err := f.countAll(ctx, ids)
	if err == nil && h.rows+h.bytes > 0 {
		err = fmt.Errorf("after %s, and another run, %d files have %s", m, len(ids), h)
	}
	return errors.Join(err, f.checkNothingLost(ctx))
}

// endRestores ends restores, and the emptying of the trash: each file must be there or in
// the trash. In the end all are there.
func (f *faulted) endRestores(ctx context.Context) error {
	const trash = "PRUNED_TRASH=72h"
	r := &restores{promises: f.promises}
	some := f.Orphans[:4]
	for _, m := range inBothWays(restorePoints...) {
		if err := f.publishEvents(ctx, some, trash); err != nil {
			return err
		}
		if _, err := f.drainQueue(ctx, trash); err != nil {
			return err
		}
		if err := f.endAt(ctx, m, append([]string{"restore"}, some...)); err != nil {
			return err
		}
		if err := r.checkTrash(ctx); err != nil {
			return fmt.Errorf("after %s: %w", m, err)
		}
		if _, _, err := f.runProgram(ctx, nil, nil, nil, "restore", "--all"); err != nil {
			return err
		}
		if n, err := f.countTrash(ctx, some); err != nil || n.rows != int64(len(some)) || n.torn > 0 {
			return errors.Join(err, fmt.Errorf("after %s, and another restore, %d of %d files are there", m, n.rows, len(some)))
		}
	}
	return f.endTrash(ctx, trash)
}

const (
	// inTrash is how many orphans go by the trash for each moment of its emptying.
	inTrash = 2
	// inSweeps is how many are left for the sweeps to find.
	inSweeps = 6
)

// endTrash ends the emptying of the trash: bytes go with the next run.
func (f *faulted) endTrash(ctx context.Context, trash string) error {
	for n, m := range inBothWays(trashPoints...) {
		some := f.Orphans[n*inTrash : (n+1)*inTrash]
		if err := f.publishEvents(ctx, some, trash); err != nil {
			return err
		}
		if _, err := f.drainQueue(ctx, trash); err != nil {
			return err
		}
		if err := f.endAt(ctx, m, []string{"trash", "empty"}); err != nil {
			return err
		}
		if _, err := f.drainQueue(ctx); err != nil {
			return err
		}
		if err := f.checkGone(ctx, m, some); err != nil {
			return err
		}
	}
	return nil
}

// endDeletions ends drains, each with files of its own.
func (f *faulted) endDeletions(each int) func(context.Context) error {
	return func(ctx context.Context) error {
		points := deletionPoints
		if _, is := f.counted.(*world); is {
			points = append(points, ofDatabase...)
		}
		rest := f.Orphans[inTrash*len(inBothWays(trashPoints...)):]
		for _, m := range inBothWays(points...) {
			some := rest[:min(each, len(rest))]
			rest = rest[len(some):]
			if err := f.publishEvents(ctx, some); err != nil {
				return err
			}
			if err := f.endAt(ctx, m, []string{"run", "--drain"}); err != nil {
				return err
			}
			if _, err := f.drainQueue(ctx); err != nil {
				return err
			}
			if err := f.checkGone(ctx, m, some); err != nil {
				return err
			}
		}
		return nil
	}
}

// endSweeps ends sweeps, each of all that is left.
func (f *faulted) endSweeps(ctx context.Context) error {
	settings := []string{"PRUNED_MAX_FRACTION=1", "PRUNED_MIN_AGE=0"}
	for _, m := range inBothWays(sweepPoints...) {
		if err := f.endAt(ctx, m, []string{"sweep"}, settings...); err != nil {
			return err
		}
		if err := f.counted.(sweepable).forgetProgress(ctx); err != nil {
			return err
		}
	}
	if _, _, err := f.runProgram(ctx, nil, nil, settings, "sweep"); err != nil {
		return err
	}
	if _, err := f.drainQueue(ctx); err != nil {
		return err
	}
	return f.checkNothingLeft(ctx)
}
