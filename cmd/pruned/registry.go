package main

import (
	"cmp"
	"context"

	"pruned/repo"
	"pruned/vectors"
)

// vectorStores has a line for each vector store that VECTOR_DB can name, with what
// opens it.
var vectorStores = map[string]opener[vectors.Store]{
	"chroma":         openChroma,
	"elasticsearch":  openElasticsearch,
	"mariadb-vector": openMariaDB,
	"milvus":         openMilvus,
	"opengauss":      openOpenGauss,
	"pgvector":       openPGVector,
	"opensearch":     openOpenSearch,
	"pinecone":       openPinecone,
	"qdrant":         openQdrant,
	"s3vector":       openS3Vector,
	"valkey":         openValkey,
	"weaviate":       openWeaviate,
	"none":           func(context.Context, *command, *app) (vectors.Store, error) { return vectors.None{}, nil },
}

// byteStores has a line for each store of bytes that STORAGE_PROVIDER can name, with
// what opens it.
var byteStores = map[string]opener[repo.Blobs]{
	"local": func(_ context.Context, c *command, _ *app) (repo.Blobs, error) {
		return openFolder(c.cli.Storage.UploadDir())
	},
	"s3":    openS3,
	"gcs":   openGCS,
	"azure": openAzure,
}

// opener opens a store by the settings.
type opener[Store any] func(context.Context, *command, *app) (Store, error)

// openVectorStore opens the vector store that the settings name, and looks whether it can
// be used.
func openVectorStore(ctx context.Context, c *command, a *app) error {
	if err := makeVectorStore(ctx, c, a); err != nil {
		return err
	}
	return a.store.Check(ctx)
}

// makeVectorStore opens it for commands that only read.
func makeVectorStore(ctx context.Context, c *command, a *app) error {
	if err := c.checkGuessedVectors(ctx, a); err != nil {
		return err
	}
	store, err := vectorStores[c.cli.Vectors.DB](ctx, c, a)
	if err != nil {
		return err
	}
	a.store = store
	a.onClose(func() error { store.Close(); return nil })
	return nil
}

// placeOf is the folder that a store lies in, or what else tells where it is.
func placeOf(store repo.StoreInfo) string { return cmp.Or(store.Folder, store.Name) }

// openByteStore opens the store of bytes that the settings name, and tells other processes
// that this one works with the installation.
func openByteStore(ctx context.Context, c *command, a *app) error {
	if err := makeByteStore(ctx, c, a); err != nil {
		return err
	}
	used := newFolderLock(c.cli.Storage.UploadDir())
	used.lockShared()
	a.onClose(used.unlock)
	return a.blobs.Check(ctx)
}

// makeByteStore opens it for commands that only read.
func makeByteStore(ctx context.Context, c *command, a *app) error {
	store, err := byteStores[c.cli.Storage.Provider](ctx, c, a)
	if err != nil {
		return err
	}
	a.blobs = store
	a.onClose(store.Close)
	return nil
}
