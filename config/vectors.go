package config

import (
	"slices"
	"strings"

	"pruned/config/dsn"
	"pruned/config/secret"
)

// Vectors is for the vector store. After Parse URL is set if DB is pgvector.
type Vectors struct {
	DB          string      `name:"vector-db" env:"VECTOR_DB" placeholder:"chroma|elasticsearch|mariadb-vector|milvus|opengauss|opensearch|pgvector|pinecone|qdrant|s3vector|valkey|weaviate|none" help:"Open WebUI's vector store; unset: chroma."`
	URL         secret.Text `name:"pgvector-db-url" env:"PGVECTOR_DB_URL" address:"" flagless:"" help:"Unset: the database's; another one is a store of its own."`
	PGCrypto    bool        `name:"pgvector-pgcrypto" env:"PGVECTOR_PGCRYPTO" type:"truth" help:"Chunks are stored encrypted."`
	PGCryptoKey secret.Text `name:"pgvector-pgcrypto-key" env:"PGVECTOR_PGCRYPTO_KEY" flagless:"" help:"Key of the encrypted chunks."`

	Unproven []string `name:"unproven" env:"PRUNED_UNPROVEN" placeholder:"STORE" help:"Vector stores that may be used though they were tested on a stand-in alone."`

	Guessed bool `kong:"-"` // DB was not set
}

// VectorStores are the names of the vector stores that can be set: those with
// settings of their own have a line in checkVectors.
var VectorStores = []string{"chroma", "elasticsearch", "mariadb-vector", "milvus", "opengauss", "opensearch", "pgvector", "pinecone", "qdrant", "s3vector", "valkey", "weaviate", "none"}

var wantedVectors = "wanted one of " + strings.Join(VectorStores, ", ")

func (c *Config) checkVectors(ps *problems) {
	c.checkProved(ps)
	switch c.Vectors.DB {
	case "chroma":
		c.Chroma.checkChroma(ps)
	case "elasticsearch":
		c.Elasticsearch.checkElasticsearch(ps)
	case "mariadb-vector":
		c.MariaDB.checkMariaDB(ps)
	case "milvus":
		c.Milvus.checkMilvus(ps)
	case "opengauss":
		c.OpenGauss.checkOpenGauss(ps)
	case "pgvector":
		c.checkPGVector(ps)
	case "opensearch":
		c.OpenSearch.checkOpenSearch(ps)
	case "pinecone":
		c.Pinecone.checkPinecone(ps)
	case "qdrant":
		c.Qdrant.checkQdrant(ps)
	case "s3vector":
		c.S3Vector.checkS3Vector(ps)
	case "valkey":
		c.Valkey.checkValkey(ps)
	case "weaviate":
		c.Weaviate.checkWeaviate(ps)
	case "":
		c.Chroma.checkChroma(ps)
		if c.Vectors.URL != "" {
			ps.addProblem("VECTOR_DB", "is not set, and PGVECTOR_DB_URL is: wanted pgvector where the vectors are there, else chroma")
		}
	case "oracle23ai":
		ps.addProblem("VECTOR_DB", "%q is refused: neither an Oracle nor a stand-in for it was to be had, so that nothing is known of what a removal does there; %s", c.Vectors.DB, wantedVectors)
	default:
		if !slices.Contains(VectorStores, c.Vectors.DB) {
			ps.addProblem("VECTOR_DB", "%q is not built yet: %s", c.Vectors.DB, wantedVectors)
		}
	}
}

func (c *Config) checkPGVector(ps *problems) {
	v := c.Vectors
	if c.Database.isFile() && v.URL == "" {
		ps.addProblem("PGVECTOR_DB_URL", "is not set, and the database is SQLite, which has no vectors: %s", wantedPostgres)
	}
	if v.URL != "" {
		if _, err := dsn.NormalizePostgres(string(v.URL)); err != nil {
			ps.addProblem("PGVECTOR_DB_URL", "%s %w: %s", secret.Redact(string(v.URL)), err, wantedPostgres)
		}
	}
	if v.PGCrypto && v.PGCryptoKey == "" {
		ps.addProblem("PGVECTOR_PGCRYPTO_KEY", "is not set: wanted Open WebUI's, as PGVECTOR_PGCRYPTO is true")
	}
}

func (c *Config) completeVectors() (err error) {
	if c.Vectors.DB == "" {
		c.Vectors.DB, c.Vectors.Guessed = "chroma", true
		_, file := c.Database.SQLite()
		switch {
		case !c.Chroma.IsEmbedded():
			c.noteAssumption("VECTOR_DB is not set: taken for chroma, as CHROMA_HTTP_HOST is set")
		case file:
			c.noteAssumption("VECTOR_DB is not set: taken for chroma, as by Open WebUI, in %s", c.Storage.VectorDir())
		default:
			c.noteAssumption("VECTOR_DB is not set: taken for chroma, as by Open WebUI, in %s; where the vectors are in PostgreSQL, set it to pgvector", c.Storage.VectorDir())
		}
	}
	switch c.Vectors.DB {
	case "mariadb-vector":
		err = c.MariaDB.completeMariaDB()
	case "opengauss":
		err = c.OpenGauss.completeOpenGauss()
	case "pgvector":
		c.Vectors.URL, err = dsn.NormalizePostgres(string(c.vectorsURL()))
	}
	return err
}

// vectorsURL is the database's where it has none of its own (Open WebUI,
// config.py).
func (c *Config) vectorsURL() secret.Text {
	if c.Vectors.URL != "" {
		return c.Vectors.URL
	}
	return c.Database.URL
}
