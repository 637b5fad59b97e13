package main

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"pruned/config"
	"pruned/repo"
	"pruned/repo/blobs/azure"
	"pruned/repo/blobs/gcs"
	"pruned/repo/blobs/local"
	"pruned/repo/blobs/s3"
	"pruned/repo/cache"
	"pruned/repo/postgres"
	"pruned/vectors"
	"pruned/vectors/chroma"
	"pruned/vectors/elasticsearch"
	"pruned/vectors/mariadb"
	"pruned/vectors/milvus"
	"pruned/vectors/opengauss"
	"pruned/vectors/opensearch"
	"pruned/vectors/pgvector"
	"pruned/vectors/pinecone"
	"pruned/vectors/qdrant"
	"pruned/vectors/s3vector"
	"pruned/vectors/valkey"
	"pruned/vectors/weaviate"
)

// checkGuessedVectors refuses a store that was not set where the database has vectors:
// the slim image of Open WebUI takes pgvector then, the full one chroma, and the rows
// of files would go without their vectors.
func (c *command) checkGuessedVectors(ctx context.Context, a *app) error {
	db, ok := a.db.Admin.(*postgres.DB)
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

// openChroma opens the file in Open WebUI's data folder, or a server where one is set.
func openChroma(ctx context.Context, c *command, _ *app) (vectors.Store, error) {
	settings := c.cli.Chroma
	if settings.IsEmbedded() {
		return chroma.Open(ctx, chroma.EmbeddedOptions{Dir: c.cli.Storage.VectorDir(), Tenant: settings.Tenant, Database: settings.Database})
	}
	url, err := settings.URL()
	if err != nil {
		return nil, err
	}
	headers, err := settings.HeaderFields()
	if err != nil {
		return nil, err
	}
	return chroma.New(ctx, chroma.HTTPOptions{
		URL: url, Tenant: settings.Tenant, Database: settings.Database, Headers: headers,
		Token: settings.Token(), UserPassword: settings.UserPassword(),
	})
}

// openElasticsearch opens a server.
func openElasticsearch(ctx context.Context, c *command, _ *app) (vectors.Store, error) {
	settings := c.cli.Elasticsearch
	return elasticsearch.New(ctx, elasticsearch.Options{
		URL: settings.URL, CAFile: settings.CAFile, Fingerprint: settings.Fingerprint,
		APIKey: string(settings.APIKey), User: settings.Username, Password: string(settings.Password), Prefix: settings.Prefix,
	})
}

// openMariaDB opens a database of vectors.
func openMariaDB(ctx context.Context, c *command, _ *app) (vectors.Store, error) {
	return mariadb.New(ctx, mariadb.Options{URL: string(c.cli.MariaDB.URL)})
}

// openOpenGauss opens a database of vectors.
func openOpenGauss(ctx context.Context, c *command, _ *app) (vectors.Store, error) {
	return opengauss.New(ctx, opengauss.Options{URL: string(c.cli.OpenGauss.URL)})
}

// openMilvus opens a server.
func openMilvus(ctx context.Context, c *command, _ *app) (vectors.Store, error) {
	settings := c.cli.Milvus
	return milvus.New(ctx, milvus.Options{
		URL: settings.URI, Database: settings.Database, Token: string(settings.Token), CAFile: settings.CAFile,
		Multitenancy: settings.Multitenancy, Prefix: settings.Prefix,
	})
}

// openOpenSearch opens a server.
func openOpenSearch(ctx context.Context, c *command, _ *app) (vectors.Store, error) {
	settings := c.cli.OpenSearch
	return opensearch.New(ctx, opensearch.Options{
		URL: settings.URI, Secure: settings.SSL, Verify: settings.Verify, User: settings.Username, Password: string(settings.Password),
	})
}

// openPinecone opens an index.
func openPinecone(ctx context.Context, c *command, _ *app) (vectors.Store, error) {
	settings := c.cli.Pinecone
	return pinecone.New(ctx, pinecone.Options{APIKey: string(settings.APIKey), Index: settings.Index})
}

// openQdrant opens a server.
func openQdrant(ctx context.Context, c *command, _ *app) (vectors.Store, error) {
	settings := c.cli.Qdrant
	return qdrant.New(ctx, qdrant.Options{
		URL: settings.URI, Secure: settings.IsSecure(), APIKey: string(settings.APIKey), Multitenancy: settings.Multitenancy, Prefix: settings.Prefix,
	})
}

// openS3Vector opens a bucket of vectors.
func openS3Vector(ctx context.Context, c *command, _ *app) (vectors.Store, error) {
	settings := c.cli.S3Vector
	return s3vector.New(ctx, s3vector.Options{Bucket: settings.Bucket, Region: settings.Region})
}

// openValkey opens a database of keys.
func openValkey(ctx context.Context, c *command, _ *app) (vectors.Store, error) {
	settings := c.cli.Valkey
	return valkey.New(ctx, valkey.Options{URL: string(settings.URL), Prefix: settings.Prefix})
}

// openWeaviate opens a server.
func openWeaviate(ctx context.Context, c *command, _ *app) (vectors.Store, error) {
	settings := c.cli.Weaviate
	return weaviate.New(ctx, weaviate.Options{Host: settings.Host, Port: settings.Port, Secure: settings.Secure, APIKey: string(settings.APIKey)})
}

// openPGVector opens the store as a part of the database, however its address is spelt,
// unless it lies in another.
func openPGVector(ctx context.Context, c *command, a *app) (vectors.Store, error) {
	settings := c.cli.Vectors
	options := pgvector.Options{URL: string(settings.URL), Crypto: settings.PGCrypto, CryptoKey: settings.PGCryptoKey}
	db, ok := a.db.Admin.(*postgres.DB)
	if !ok {
		return openRemotePGVector(ctx, options)
	}
	store, err := pgvector.New(ctx, options)
	if err != nil {
		return nil, err
	}
	identity := db.Installation()
	same, err := store.IsIn(ctx, identity.System, identity.Database)
	if err == nil && same {
		return store, nil
	}
	store.Close()
	if err != nil {
		return nil, err
	}
	return openRemotePGVector(ctx, options)
}

func openRemotePGVector(ctx context.Context, options pgvector.Options) (vectors.Store, error) {
	store, err := pgvector.NewRemote(ctx, options)
	if err != nil {
		return nil, err
	}
	return store, nil
}

// chunkTable is a store that is a table of PostgreSQL, which can be vacuumed.
type chunkTable interface {
	TableName(ctx context.Context) (string, error)
}

var (
	_ chunkTable = (*pgvector.Store)(nil)
	_ chunkTable = (*pgvector.Remote)(nil)
)

// openS3 opens a bucket, and the folder of copies where there is one.
func openS3(_ context.Context, c *command, _ *app) (repo.Blobs, error) {
	copies, err := openCopies(c.cli.Storage.UploadDir())
	if err != nil {
		return nil, err
	}
	settings := c.cli.S3
	return s3.New(s3.Options{
		Endpoint: settings.Endpoint, Region: settings.Region, Bucket: settings.Bucket, Prefix: settings.KeyPrefix,
		AccessKey: settings.AccessKey, SecretKey: string(settings.SecretKey), Addressing: settings.Addressing,
		Copies: copies, Versions: c.cli.Storage.RemovesVersions(),
	})
}

// openGCS opens a bucket, and the folder of copies where there is one.
func openGCS(ctx context.Context, c *command, _ *app) (repo.Blobs, error) {
	copies, err := openCopies(c.cli.Storage.UploadDir())
	if err != nil {
		return nil, err
	}
	settings := c.cli.GCS
	return gcs.New(ctx, gcs.Options{
		Bucket: settings.Bucket, Credentials: string(settings.Credentials), Emulator: settings.Emulator,
		Copies: copies, Versions: c.cli.Storage.RemovesVersions(),
	})
}

// openAzure opens a container, and the folder of copies where there is one.
func openAzure(_ context.Context, c *command, _ *app) (repo.Blobs, error) {
	copies, err := openCopies(c.cli.Storage.UploadDir())
	if err != nil {
		return nil, err
	}
	settings := c.cli.Azure
	return azure.New(azure.Options{
		Endpoint: settings.Endpoint, Container: settings.Container, Key: string(settings.Key),
		Copies: copies, Versions: c.cli.Storage.RemovesVersions(),
	})
}

// openCopies opens the upload folder beside a bucket; nil where it is on another machine.
func openCopies(dir string) (*local.Store, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return openFolder(dir)
}

// openFolder and openCache are others in tests, which cannot set back when a file was
// changed.
var (
	openFolder = local.Open
	openCache  = cache.New
)
