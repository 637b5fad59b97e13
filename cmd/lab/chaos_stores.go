package main

import (
	"context"
	"time"
)

// storeFaults are those of servers that keep vectors or bytes, each in the midst of what is
// carried out there.
var storeFaults = []fault{
	{
		name:    "S3 killed and started again",
		prepare: move(func(ctx context.Context, w *world) error { return w.moveBytes(ctx, "s3") }),
		provoke: killBytes, lasts: 10 * time.Second, lift: undoAll, logged: "tombstones could not be carried out",
	},
	{
		name:    "Milvus killed and started again",
		prepare: move(func(ctx context.Context, w *world) error { return w.moveVectors(ctx, "milvus") }),
		provoke: killVectors, lasts: 10 * time.Second, lift: undoAll, logged: "tombstones could not be carried out",
	},
}

// move puts something of the world into a server of its own, and takes down what must not be
// lost there.
func move(to func(context.Context, *world) error) func(context.Context, *ruin) error {
	return func(ctx context.Context, r *ruin) (err error) {
		if err = to(ctx, r.world); err != nil {
			return err
		}
		if err = r.world.bindServers(ctx); err != nil {
			return err
		}
		r.promises, err = newPromises(ctx, r.world.installation, r.world)
		return err
	}
}

func killBytes(_ context.Context, r *ruin) error {
	r.later(r.world.bytes.Recover)
	return r.world.bytes.Crash()
}

// crashing is a server of vectors that can be killed and started again.
type crashing interface {
	crash() error
	recover() error
}

func killVectors(_ context.Context, r *ruin) error {
	server := r.world.vectors.(crashing)
	r.later(func(context.Context) error { return server.recover() })
	return server.crash()
}
