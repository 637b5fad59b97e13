package main

import (
	"context"
	"path/filepath"
	"time"
)

// clockFaults are those of the clock of the machine that the daemon runs on. Beside the
// database's it tells only how old bytes in a folder are; on SQLite every age is by it.
var clockFaults = []fault{
	{name: "our clock jumps ahead", with: noMinAge, prepare: useClock, provoke: jump(48 * time.Hour), lasts: 10 * time.Second, lift: undoAll},
	{name: "our clock jumps back", with: noMinAge, prepare: useClock, provoke: jump(-48 * time.Hour), lasts: 10 * time.Second, lift: undoAll},
	{name: "SQLite: our clock jumps ahead", folder: true, with: unhurried, prepare: useClock, provoke: jump(48 * time.Hour), lasts: 10 * time.Second, lift: undoAll},
	{name: "SQLite: our clock jumps back", folder: true, with: unhurried, prepare: useClock, provoke: jump(-48 * time.Hour), lasts: 10 * time.Second, lift: undoAll},
}

// unhurried has the work of a daemon outlast the fault where no network slows it.
var unhurried = append([]string{"PRUNED_RATE=15"}, noMinAge...)

// useClock has the daemon be a build whose clock can be moved.
func useClock(ctx context.Context, r *ruin) (err error) {
	r.clock = clock(filepath.Join(r.dir, "clock"))
	if err = r.clock.set(0); err != nil {
		return err
	}
	r.stores = append(r.stores, r.clock.setting())
	r.binary, err = r.buildMovable(ctx)
	return err
}

func jump(ahead time.Duration) func(context.Context, *ruin) error {
	return func(_ context.Context, r *ruin) error {
		r.later(func(context.Context) error { return r.clock.set(0) })
		return r.clock.set(ahead)
	}
}
