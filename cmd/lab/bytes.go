package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"pruned/repo"
	"pruned/repo/blobs/bucket/buckettest"
	"pruned/repo/testenv"
)

type bytesCmd struct {
	Provider string `enum:"s3,gcs,azure" default:"s3" help:"Of the store: s3, gcs or azure."`
	Files    int    `default:"10000" help:"Objects that go."`
	Others   int    `default:"10000" help:"Objects beside them that stay."`
	Rounds   int    `default:"3" help:"How often."`
}

// Run removes the same objects by the client of the store, believing it, and by the
// program's store of bytes, which looks before and after; in turns on one server.
func (c *bytesCmd) Run(ctx context.Context, _ *lab) (err error) {
	server, err := testenv.RunBytes(ctx, c.Provider)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.End()) }()
	b, err := server.MakeBucket(ctx, "bucket")
	if err != nil {
		return err
	}
	store, err := buckettest.Open(ctx, b, buckettest.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return c.compare(ctx, b, store)
}

func (c *bytesCmd) compare(ctx context.Context, b testenv.Bucket, store repo.Blobs) error {
	content := bytes.Repeat([]byte("b"), 3000)
	if err := testenv.PutMany(ctx, b, newKeys(c.Others), content); err != nil {
		return err
	}
	var rows [][]string
	for range c.Rounds {
		var took [2]time.Duration
		for i, remove := range []func(context.Context, []string) error{b.RemoveMany, removeAll(store)} {
			keys := newKeys(c.Files)
			if err := testenv.PutMany(ctx, b, keys, content); err != nil {
				return err
			}
			began := time.Now()
			if err := remove(ctx, keys); err != nil {
				return err
			}
			took[i] = time.Since(began)
			if left, err := b.Keys(ctx); err != nil || len(left) != c.Others {
				return errors.Join(err, fmt.Errorf("%d objects are left of %d", len(left), c.Others))
			}
		}
		rate := func(d time.Duration) string { return fmt.Sprintf("%.0f", float64(c.Files)/d.Seconds()) }
		rows = append(rows, []string{c.Provider, rate(took[0]), rate(took[1]), fmt.Sprintf("%.2f", took[0].Seconds()/took[1].Seconds())})
	}
	return printTable(fmt.Sprintf("%d objects of 3 kB that go, mixed with %d that stay", c.Files, c.Others),
		[]string{"server", "its client's bulk delete, objects/s", "pruned, objects/s", "ratio"}, rows)
}

func removeAll(store repo.Blobs) func(context.Context, []string) error {
	return func(ctx context.Context, keys []string) error {
		failed, err := store.Remove(ctx, keys)
		if err == nil && len(failed) > 0 {
			err = fmt.Errorf("%d objects stay", len(failed))
		}
		return err
	}
}

// newKeys are in order.
func newKeys(n int) (keys []string) {
	for range n {
		keys = append(keys, uuid.NewString()+"_document.pdf")
	}
	slices.Sort(keys)
	return keys
}
