package main

import (
	"context"

	"pruned/consumer"
	"pruned/repo"
	"pruned/vectors"
)

// vectorStores has a line for each vector store that VECTOR_DB can name, with what
// opens it.
var vectorStores = map[string]opener[vectors.Store]{
	"chroma":   openChroma,
	"pgvector": openPGVector,
	"none":     openNoVectors,
}

// byteStores has a line for each store of bytes that STORAGE_PROVIDER can name, with
// what opens it.
var byteStores = map[string]opener[repo.Blobs]{
	"local": openUploads,
}

// opener opens a store by the settings, and says what it is called and where it lies.
type opener[Store any] func(context.Context, *command, *parts) (Store, consumer.StoreInfo, error)

// vectorStore opens the vector store that the settings name.
func vectorStore(ctx context.Context, c *command, p *parts) error {
	if err := c.checkGuessedVectors(ctx, p); err != nil {
		return err
	}
	store, info, err := vectorStores[c.cli.Vectors.DB](ctx, c, p)
	if err != nil {
		return err
	}
	p.store, p.storeInfo = store, info
	p.onEnd(func() error { store.Close(); return nil })
	return store.Check(ctx)
}

// uploads opens the store of bytes that the settings name.
func uploads(ctx context.Context, c *command, p *parts) error {
	store, info, err := byteStores[c.cli.Storage.Provider](ctx, c, p)
	if err != nil {
		return err
	}
	p.blobs, p.blobsInfo = store, info
	p.onEnd(store.Close)
	return store.Check(ctx)
}
