package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// uploadFaults are those of the folder of the bytes.
var uploadFaults = []fault{
	{
		name:    "uploads read-only",
		prepare: mountUploads, provoke: remountReadOnly, lift: undoAll,
	},
	{
		name:    "uploads gone",
		provoke: takeUploads, unready: "uploads", lift: undoAll,
	},
	{
		name:    "uploads replaced by an empty folder",
		provoke: replaceUploads, unready: "uploads", lift: undoAll,
	},
}

// mountUploads mounts the folder over itself, so that it can be made read-only for root, too.
func mountUploads(ctx context.Context, r *ruin) error {
	r.disks = append(r.disks, r.uploads())
	return mount(ctx, "--bind", r.uploads(), r.uploads())
}

func remountReadOnly(ctx context.Context, r *ruin) error {
	r.later(func(ctx context.Context) error { return mount(ctx, "-o", "remount,bind,rw", r.uploads()) })
	return mount(ctx, "-o", "remount,bind,ro", r.uploads())
}

func mount(ctx context.Context, args ...string) error {
	if out, err := exec.CommandContext(ctx, "mount", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("mount, which takes root: %w: %s", err, out)
	}
	return nil
}

func takeUploads(_ context.Context, r *ruin) error {
	r.later(func(context.Context) error { return os.Rename(r.uploads()+".away", r.uploads()) })
	return os.Rename(r.uploads(), r.uploads()+".away")
}

func replaceUploads(ctx context.Context, r *ruin) error {
	err := takeUploads(ctx, r)
	r.later(func(context.Context) error { return os.RemoveAll(r.uploads()) })
	return errors.Join(err, os.Mkdir(r.uploads(), 0o755))
}
