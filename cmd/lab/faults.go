package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

type faultsCmd struct {
	Engine string `enum:"postgres,sqlite" default:"postgres" help:"Of the database: postgres (with pgvector) or sqlite (with embedded Chroma)."`
	Each   int    `default:"10" help:"Files that nothing uses, for each moment of a deletion."`
}

// The moments at which a build with the tag faults ends itself by SIGKILL (consumer/fault).
// Those of a deletion come in every drain, on the one engine or the other.
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

// Run ends the program at each moment, and looks each time whether anything in use lost
// anything, and whether the next run does what is left.
func (c *faultsCmd) Run(ctx context.Context, l *lab) error {
	orphans := c.Each * (len(deletionPoints) + len(ofDatabase) + 1)
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
	fmt.Printf("%s: ended at each of %d moments: %s. Each time no file in use had lost its row, vectors or bytes, and the next run did what was left\n",
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
func (f *faulted) endAt(ctx context.Context, point string, args []string, settings ...string) error {
	cmd := exec.CommandContext(ctx, f.binary, args...)
	cmd.Env = append(f.environment(), append(settings, "FAULT_POINT="+point)...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if status, is := cmd.ProcessState.Sys().(syscall.WaitStatus); !is || !errors.As(err, &exit) || status.Signal() != syscall.SIGKILL {
		return fmt.Errorf("%s: pruned %s did not come to it: %w\n%s", point, strings.Join(args, " "), errors.Join(err, ctx.Err()), out)
	}
	f.ended = append(f.ended, point)
	if err := f.checkNothingLost(ctx); err != nil {
		return fmt.Errorf("after the end at %q: %w", point, err)
	}
	return nil
}

// checkGone checks that files have neither row nor bytes. Vectors may wait for their store.
func (f *faulted) checkGone(ctx context.Context, point string, ids []string) error {
	h, err := f.countAll(ctx, ids)
	if err == nil && h.rows+h.bytes > 0 {
		err = fmt.Errorf("after the end at %q, and another run, %d files have %s", point, len(ids), h)
	}
	return errors.Join(err, f.checkNothingLost(ctx))
}

// endRestores ends restores, and the emptying of the trash: each file must be there or in
// the trash. In the end all are there.
func (f *faulted) endRestores(ctx context.Context) error {
	const trash = "PRUNED_TRASH=72h"
	r := &restores{promises: f.promises}
	some := f.Orphans[:4]
	for _, point := range restorePoints {
		if err := f.publishEvents(ctx, some, trash); err != nil {
			return err
		}
		if _, err := f.drainQueue(ctx, trash); err != nil {
			return err
		}
		if err := f.endAt(ctx, point, append([]string{"restore"}, some...)); err != nil {
			return err
		}
		if err := r.checkTrash(ctx); err != nil {
			return fmt.Errorf("after the end at %q: %w", point, err)
		}
		if _, _, err := f.runProgram(ctx, nil, nil, nil, "restore", "--all"); err != nil {
			return err
		}
		if n, err := f.countTrash(ctx, some); err != nil || n.rows != int64(len(some)) || n.torn > 0 {
			return errors.Join(err, fmt.Errorf("after the end at %q, and another restore, %d of %d files are there", point, n.rows, len(some)))
		}
	}
	return f.endTrash(ctx, trash)
}

// endTrash ends the emptying of the trash: bytes go with the next run.
func (f *faulted) endTrash(ctx context.Context, trash string) error {
	some := f.Orphans[:2]
	for _, point := range trashPoints {
		if err := f.publishEvents(ctx, some, trash); err != nil {
			return err
		}
		if _, err := f.drainQueue(ctx, trash); err != nil {
			return err
		}
		if err := f.endAt(ctx, point, []string{"trash", "empty"}); err != nil {
			return err
		}
		if _, err := f.drainQueue(ctx); err != nil {
			return err
		}
		if err := f.checkGone(ctx, point, some); err != nil {
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
		rest := f.Orphans[2:]
		for _, point := range points {
			some := rest[:min(each, len(rest))]
			rest = rest[len(some):]
			if err := f.publishEvents(ctx, some); err != nil {
				return err
			}
			if err := f.endAt(ctx, point, []string{"run", "--drain"}); err != nil {
				return err
			}
			if _, err := f.drainQueue(ctx); err != nil {
				return err
			}
			if err := f.checkGone(ctx, point, some); err != nil {
				return err
			}
		}
		return nil
	}
}

// endSweeps ends sweeps, each of all that is left.
func (f *faulted) endSweeps(ctx context.Context) error {
	settings := []string{"PRUNED_MAX_FRACTION=1", "PRUNED_MIN_AGE=0"}
	for _, point := range sweepPoints {
		if err := f.endAt(ctx, point, []string{"sweep"}, settings...); err != nil {
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
