package main

import (
	"context"
	"strings"
	"time"

	"pruned/repo/testenv"
)

// storeFaults are those of servers that keep vectors or bytes, and of the way to them, each in
// the midst of what is carried out there. Azurite and the server that takes Google's part forget
// everything with their end: the tests of their packages kill them.
var storeFaults = []fault{
	{name: "S3 killed and started again", prepare: takeDown(toS3), provoke: killBytes, lasts: ofStore, lift: undoAll, logged: removalsFail},
	{name: "Milvus killed and started again", prepare: takeDown(toVectors("milvus")), provoke: killVectors, lasts: ofStore, lift: undoAll, logged: removalsFail},
	{name: "Chroma killed and started again", prepare: takeDown(toVectors("chroma")), provoke: killVectors, lasts: ofStore, lift: undoAll, logged: removalsFail},
	// A class takes it a second to make.
	{name: "Weaviate killed and started again", files: 80, prepare: takeDown(toVectors("weaviate")), provoke: killVectors, lasts: ofStore, lift: undoAll, logged: removalsFail},
	{name: "network to S3 cut", prepare: takeDown(toS3), provoke: breakStore((*link).cut), lasts: ofStore, lift: undoAll, logged: removalsFail},
	{name: "network to S3 slow", prepare: takeDown(toS3), provoke: breakStore((*link).slow), lasts: ofStore, lift: undoAll},
	{name: "network to S3 silent", prepare: takeDown(toS3), provoke: breakStore((*link).swallow), lasts: ofStore, lift: undoAll},
	{name: "network to Chroma cut", prepare: takeDown(toVectors("chroma")), provoke: breakStore((*link).cut), lasts: ofStore, lift: undoAll, logged: removalsFail},
	{name: "network to Chroma slow", prepare: takeDown(toVectors("chroma")), provoke: breakStore((*link).slow), lasts: ofStore, lift: undoAll},
	{name: "network to Chroma silent", prepare: takeDown(toVectors("chroma")), provoke: breakStore((*link).swallow), lasts: ofStore, lift: undoAll},
}

const (
	// ofStore is how long they last: nobody need notice, since rows go all the same.
	ofStore      = 10 * time.Second
	removalsFail = "tombstones could not be carried out"
)

// takeDown takes down what must not be lost once a part of the world has moved.
func takeDown(move func(context.Context, *ruin) error) func(context.Context, *ruin) error {
	return func(ctx context.Context, r *ruin) (err error) {
		if err = move(ctx, r); err != nil {
			return err
		}
		if err = r.world.bindServers(ctx); err != nil {
			return err
		}
		r.promises, err = newPromises(ctx, r.world.installation, r.world)
		return err
	}
}

// toVectors puts the vectors of the world into a server of their own.
func toVectors(store string) func(context.Context, *ruin) error {
	return func(ctx context.Context, r *ruin) error {
		err := r.world.moveVectors(ctx, store)
		if c, is := r.world.vectors.(*chromaServer); is && err == nil {
			r.store = c.link
		}
		return err
	}
}

// toS3 puts the bytes of the world into a bucket, which the program reaches through a link.
func toS3(ctx context.Context, r *ruin) error {
	if err := r.world.moveBytes(ctx, "s3"); err != nil {
		return err
	}
	b := &linkedBucket{Bucket: r.world.bucket}
	for _, setting := range b.Bucket.Settings() {
		if address, is := strings.CutPrefix(setting, "S3_ENDPOINT_URL=http://"); is {
			b.server = address
		}
	}
	var err error
	if r.store, err = openLink(b.server); err != nil {
		return err
	}
	b.link, r.world.bucket = r.store.address(), b
	r.world.stores = append(r.world.stores, b.Settings()...)
	return nil
}

// linkedBucket is a bucket whose settings lead through a link.
type linkedBucket struct {
	testenv.Bucket
	server, link string // addresses
}

func (b *linkedBucket) Settings() (list []string) {
	for _, setting := range b.Bucket.Settings() {
		list = append(list, strings.ReplaceAll(setting, b.server, b.link))
	}
	return list
}

func breakStore(how func(*link) error) func(context.Context, *ruin) error {
	return func(_ context.Context, r *ruin) error {
		r.later(r.store.restore)
		return how(r.store)
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
