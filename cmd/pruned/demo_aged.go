package main

import (
	"context"
	"iter"
	"time"

	"pruned/repo"
)

// agedBlobs are bytes that were uploaded long ago: nobody can set back when a file
// was changed, and the demonstration has just written all of them.
type agedBlobs struct{ repo.Blobs }

const longAgo = 30 * 24 * time.Hour

// Find implements repo.Blobs.
func (b agedBlobs) Find(ctx context.Context, ids []string) (map[string][]repo.Blob, error) {
	found, err := b.Blobs.Find(ctx, ids)
	for _, objects := range found {
		for i := range objects {
			objects[i].Age = longAgo
		}
	}
	return found, err
}

// List implements repo.Blobs.
func (b agedBlobs) List(ctx context.Context) iter.Seq2[repo.Listed, error] {
	return func(yield func(repo.Listed, error) bool) {
		for one, err := range b.Blobs.List(ctx) {
			one.Age = longAgo
			if !yield(one, err) {
				return
			}
		}
	}
}

// Stat implements repo.Blobs.
func (b agedBlobs) Stat(ctx context.Context, name string) (blob repo.Blob, there bool, err error) {
	blob, there, err = b.Blobs.Stat(ctx, name)
	blob.Age = longAgo
	return blob, there, err
}
