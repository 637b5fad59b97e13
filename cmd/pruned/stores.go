package main

import (
	"context"
	"errors"
	"fmt"

	"pruned/config"
	"pruned/consumer"
	"pruned/repo"
	"pruned/repo/blobs/local"
	"pruned/repo/postgres"
	"pruned/vectors"
	"pruned/vectors/chroma"
	"pruned/vectors/pgvector"
)

// vectorStore opens the vector store that the settings name.
func vectorStore(ctx context.Context, c *command, p *parts) error {
	if err := c.checkGuessedVectors(ctx, p); err != nil {
		return err
	}
	store, info, err := c.openVectors(ctx, p)
	if err != nil {
		return err
	}
	p.store, p.storeInfo = store, info
	p.onEnd(func() error { store.Close(); return nil })
	return store.Check(ctx)
}

// checkGuessedVectors refuses a store that was not set where the database has vectors:
// the slim image of Open WebUI takes pgvector then, the full one chroma, and the rows
// of files would go without their vectors.
func (c *command) checkGuessedVectors(ctx context.Context, p *parts) error {
	db, ok := p.db.(*postgres.DB)
	if !ok || !c.cli.Vectors.Guessed {
		return nil
	}
	has, err := db.HasChunks(ctx)
	if err != nil || !has {
		return err
	}
	return &config.UsageError{Err: errors.New(
		"VECTOR_DB: is not set, and the database has a table document_chunk: wanted pgvector, or chroma if Open WebUI does not use that table any more")}
}

// openVectors also says what the store is called, and where it lies.
func (c *command) openVectors(ctx context.Context, p *parts) (vectors.Store, consumer.StoreInfo, error) {
	switch {
	case c.cli.Vectors.DB == "none":
		return vectors.None{}, consumer.StoreInfo{Name: "none", Beside: true}, nil
	case c.cli.Vectors.DB == "pgvector":
		store, err := c.openPGVector(ctx, p)
		return store, consumer.StoreInfo{Name: "pgvector", Beside: true}, err
	case c.cli.Chroma.Embedded():
		store, err := c.openChromaFile(ctx)
		return store, consumer.StoreInfo{Name: "chroma", Mark: &repo.Mark{Dir: c.cli.Storage.VectorDir(), Optional: true}}, err
	default:
		return c.openChromaServer(ctx)
	}
}

func (c *command) openChromaFile(ctx context.Context) (vectors.Store, error) {
	return chroma.Open(ctx, chroma.EmbeddedOptions{
		Dir: c.cli.Storage.VectorDir(), Tenant: c.cli.Chroma.Tenant, Database: c.cli.Chroma.Database,
	})
}

func (c *command) openChromaServer(ctx context.Context) (vectors.Store, consumer.StoreInfo, error) {
	settings := c.cli.Chroma
	url, err := settings.URL()
	if err != nil {
		return nil, consumer.StoreInfo{}, err
	}
	headers, err := settings.HeaderFields()
	if err != nil {
		return nil, consumer.StoreInfo{}, err
	}
	store, err := chroma.New(ctx, chroma.HTTPOptions{
		URL: url, Tenant: settings.Tenant, Database: settings.Database, Headers: headers,
		Token: settings.Token(), UserPassword: settings.UserPassword(),
	})
	name := fmt.Sprintf("chroma at %s, tenant %s, database %s", url, settings.Tenant, settings.Database)
	return store, consumer.StoreInfo{Name: name}, err
}

var errOtherDatabase = errors.New("VECTOR_DB=pgvector wants DATABASE_URL to be PostgreSQL")

// openPGVector takes the store for a part of the database, and so refuses one
// that lies in another.
func (c *command) openPGVector(ctx context.Context, p *parts) (vectors.Store, error) {
	db, ok := p.db.(*postgres.DB)
	if !ok {
		return nil, errOtherDatabase
	}
	settings := c.cli.Vectors
	store, err := pgvector.New(ctx, pgvector.Options{
		URL: string(settings.URL), Crypto: settings.PGCrypto, CryptoKey: settings.PGCryptoKey,
	})
	if err != nil {
		return nil, err
	}
	identity := db.Installation()
	if err := store.SameDatabase(ctx, identity.System, identity.Database); err != nil {
		store.Close()
		return nil, err
	}
	return store, nil
}

// openUploads is another one in tests, which cannot set back when a file was changed.
var openUploads = local.Open

// uploads opens the folder of the bytes.
func uploads(ctx context.Context, c *command, p *parts) error {
	local, err := openUploads(c.cli.Storage.Uploads())
	if err != nil {
		return err
	}
	p.blobs, p.blobsInfo = local, consumer.StoreInfo{Name: "uploads", Mark: &repo.Mark{Dir: c.cli.Storage.Uploads()}}
	p.onEnd(local.Close)
	used := useOf(c.cli.Storage.Uploads())
	used.share()
	p.onEnd(used.end)
	return local.Check(ctx)
}
