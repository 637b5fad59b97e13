package config

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cli is a command line like the real one.
type cli struct {
	Config  `embed:""`
	Version kong.VersionFlag
	Run     struct {
		Drain bool
	} `cmd:""`
	Dead struct {
		List struct{} `cmd:""`
		Show struct {
			Seq int `arg:""`
		} `cmd:""`
	} `cmd:""`
	Demo struct{} `cmd:"" alone:""`
}

// token is one that is long enough.
const token = "0123456789abcdef"

// usable is the least that has to be set.
var usable = []string{"DATABASE_URL=postgresql://db/webui", "VECTOR_DB=none"}

func parse(environ []string, args ...string) (Config, error) {
	var c cli
	_, err := Parse(&c, append([]string{"run"}, args...), environ, io.Discard, kong.Name("pruned"))
	return c.Config, err
}

// with is usable and more; the last of a name wins.
func with(environ ...string) []string { return append(usable[:len(usable):len(usable)], environ...) }

// lines are the problems of an environment.
func lines(t *testing.T, environ []string, args ...string) []string {
	t.Helper()
	_, err := parse(environ, args...)
	var usage *UsageError
	require.ErrorAs(t, err, &usage)
	return strings.Split(err.Error(), "\n")
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := parse(usable)
	require.NoError(t, err)
	data := defaultDataDir(dataDirs(), containerDataDir)
	assert.Equal(t, Config{
		Database:      Database{URL: "postgresql://db/webui", Citations: "keep", Departed: "keep", Rows: "keep", LedgerRetention: 2160 * time.Hour},
		Vectors:       Vectors{DB: "none"},
		Chroma:        Chroma{Port: 8000, Tenant: "default_tenant", Database: "default_database"},
		Milvus:        Milvus{Database: "default", Prefix: "open_webui"},
		Elasticsearch: Elasticsearch{URL: "https://localhost:9200", Prefix: "open_webui_collections"},
		Pinecone:      Pinecone{Index: "open-webui-index"},
		Valkey:        Valkey{Prefix: "open_webui"},
		Qdrant:        Qdrant{GRPCPort: 6334, Multitenancy: true, Prefix: "open-webui"},
		Weaviate:      Weaviate{Port: 8080},
		OpenSearch:    OpenSearch{URI: "https://localhost:9200", SSL: true},
		Storage:       Storage{DataDir: data, Provider: "local", Versions: "keep"},
		Queue: Queue{
			DataDir: data + "/pruned", Listen: "127.0.0.1:4222", Stream: "PRUNED",
			Retention: 720 * time.Hour, MaxBytes: 1024 * MiB,
		},
		Consumer: Consumer{Batch: 500, Workers: 2, BytesDelay: time.Hour, Trash: 72 * time.Hour},
		Ages:     Ages{Min: 24 * time.Hour, Pending: 168 * time.Hour, Orphan: time.Hour},
		Sweep:    Sweep{Every: 5 * time.Minute, MaxFraction: 0.2},
		HTTP:     HTTP{Listen: "127.0.0.1:8077"},
		Log:      Log{Level: "info", Format: "auto"},
		Assumed:  []string{"DATA_DIR is not set: taken for " + data},
	}, c)
	assert.True(t, c.Queue.IsEmbedded())
	assert.Equal(t, data+"/uploads", c.Storage.UploadDir())
	assert.Equal(t, data+"/vector_db", c.Storage.VectorDir())
}

func TestEverySettingFromTheEnvironment(t *testing.T) {
	t.Parallel()
	c, err := parse([]string{
		"DATABASE_URL=postgres://db/webui", "DATABASE_SCHEMA=owui", "DATA_DIR=/data", "VECTOR_DB=pgvector",
		"PGVECTOR_DB_URL=postgresql+psycopg2://v/vectors", "PGVECTOR_PGCRYPTO=true",
		"PGVECTOR_PGCRYPTO_KEY=k", "CHROMA_HTTP_HOST=chroma", "CHROMA_HTTP_PORT=80", "CHROMA_HTTP_SSL=true",
		"CHROMA_HTTP_HEADERS=A=b", "CHROMA_TENANT=t", "CHROMA_DATABASE=d", "CHROMA_CLIENT_AUTH_PROVIDER=" + chromaAuthn,
		"CHROMA_CLIENT_AUTH_CREDENTIALS=c", "MILVUS_URI=https://m", "MILVUS_TOKEN=t", "MILVUS_DB=d", "MILVUS_SERVER_PEM_PATH=/c",
		"MARIADB_VECTOR_DB_URL=mariadb", "OPENGAUSS_DB_URL=gauss", "PRUNED_UNPROVEN=opengauss,milvus",
		"VALKEY_URL=valkey://v", "VALKEY_COLLECTION_PREFIX=p", "PINECONE_API_KEY=k", "PINECONE_INDEX_NAME=i", "S3_VECTOR_BUCKET_NAME=b", "S3_VECTOR_REGION=r",
		"ENABLE_MILVUS_MULTITENANCY_MODE=True", "MILVUS_COLLECTION_PREFIX=p",
		"QDRANT_URI=http://q", "QDRANT_API_KEY=k", "QDRANT_PREFER_GRPC=true", "QDRANT_GRPC_PORT=7", "ENABLE_QDRANT_MULTITENANCY_MODE=False", "QDRANT_COLLECTION_PREFIX=p",
		"WEAVIATE_HTTP_HOST=w", "WEAVIATE_HTTP_PORT=81", "WEAVIATE_HTTP_SECURE=true", "WEAVIATE_API_KEY=k",
		"ELASTICSEARCH_URL=http://e:1", "ELASTICSEARCH_CA_CERTS=/c", "ELASTICSEARCH_API_KEY=k", "ELASTICSEARCH_USERNAME=u", "ELASTICSEARCH_PASSWORD=pw", "ELASTICSEARCH_CLOUD_ID=c", "SSL_ASSERT_FINGERPRINT=aa", "ELASTICSEARCH_INDEX_PREFIX=p",
		"OPENSEARCH_URI=http://o", "OPENSEARCH_SSL=false", "OPENSEARCH_CERT_VERIFY=true", "OPENSEARCH_USERNAME=u", "OPENSEARCH_PASSWORD=pw", "STORAGE_PROVIDER=s3", "NATS_URL=nats://n:4222, tls://m", "PRUNED_DATA_DIR=/p",
		"S3_BUCKET_NAME=b", "S3_KEY_PREFIX=team", "S3_ENDPOINT_URL=https://s3.lan", "S3_REGION_NAME=r", "S3_ACCESS_KEY_ID=a",
		"S3_SECRET_ACCESS_KEY=s", "S3_ADDRESSING_STYLE=path", "PRUNED_VERSIONS=delete",
		"PRUNED_NATS_LISTEN=[::1]:0", "PRUNED_STREAM=Other-1", "PRUNED_BATCH=10000", "PRUNED_WORKERS=64",
		"PRUNED_MIN_AGE=0", "PRUNED_PENDING_AGE=0s", "PRUNED_ORPHAN_AGE=90s", "PRUNED_DRY_RUN=true",
		"PRUNED_SWEEP_EVERY=0", "PRUNED_MAX_FRACTION=1", "PRUNED_BYTES_DELAY=2m", "PRUNED_TRASH=3m", "PRUNED_STRICT=1",
		"PRUNED_RATE=0.5", "PRUNED_IGNORE=feedback,chat.meta", "PRUNED_CITATIONS=ignore", "PRUNED_DEPARTED=ignore", "PRUNED_ROWS=dangling", "PRUNED_HTTP=:80",
		"PRUNED_WEBHOOK_TOKEN=" + token, "PRUNED_RETENTION=1h", "PRUNED_LEDGER_RETENTION=2h", "PRUNED_MAX_BYTES=1MiB",
		"PRUNED_LOG_LEVEL=debug", "PRUNED_LOG_FORMAT=json", "OPEN_WEBUI_URL=https://chat/below", "OPEN_WEBUI_TOKEN=sk-k",
	})
	require.NoError(t, err)
	assert.Equal(t, Config{
		Database: Database{
			URL: "postgresql://db/webui", Schema: "owui", Ignore: []string{"feedback", "chat.meta"},
			Citations: "ignore", Departed: "ignore", Rows: "dangling", LedgerRetention: 2 * time.Hour,
		},
		Vectors: Vectors{DB: "pgvector", URL: "postgresql://v/vectors", PGCrypto: true, PGCryptoKey: "k", Unproven: []string{"opengauss", "milvus"}},
		Chroma: Chroma{
			Host: "chroma", Port: 80, SSL: true, Headers: "A=b", Tenant: "t", Database: "d",
			AuthProvider: chromaAuthn, Credentials: "c",
		},
		MariaDB:       MariaDB{URL: "mariadb"},
		OpenGauss:     OpenGauss{URL: "gauss"},
		Elasticsearch: Elasticsearch{URL: "http://e:1", CAFile: "/c", APIKey: "k", Username: "u", Password: "pw", CloudID: "c", Fingerprint: "aa", Prefix: "p"},
		Milvus:        Milvus{URI: "https://m", Token: "t", Database: "d", CAFile: "/c", Multitenancy: true, Prefix: "p"},
		Pinecone:      Pinecone{APIKey: "k", Index: "i"},
		Valkey:        Valkey{URL: "valkey://v", Prefix: "p"},
		Qdrant:        Qdrant{URI: "http://q", APIKey: "k", PreferGRPC: true, GRPCPort: 7, Prefix: "p"},
		S3Vector:      S3Vector{Bucket: "b", Region: "r"},
		Weaviate:      Weaviate{Host: "w", Port: 81, Secure: true, APIKey: "k"},
		OpenSearch:    OpenSearch{URI: "http://o", Verify: true, Username: "u", Password: "pw"},
		Storage:       Storage{DataDir: "/data", Provider: "s3", Versions: "delete"},
		S3:            S3{Bucket: "b", KeyPrefix: "team", Endpoint: "https://s3.lan", Region: "r", AccessKey: "a", SecretKey: "s", Addressing: "path"},
		OpenWebUI:     OpenWebUI{URL: "https://chat/below", Token: "sk-k"},
		Queue: Queue{
			URL: "nats://n:4222, tls://m", DataDir: "/p", Listen: "[::1]:0", Stream: "Other-1",
			Retention: time.Hour, MaxBytes: MiB,
		},
		Consumer: Consumer{Batch: 10000, Workers: 64, Rate: 0.5, DryRun: true, Strict: true, BytesDelay: 2 * time.Minute, Trash: 3 * time.Minute},
		Ages:     Ages{Orphan: 90 * time.Second},
		Sweep:    Sweep{MaxFraction: 1},
		HTTP:     HTTP{Listen: ":80", WebhookToken: token},
		Log:      Log{Level: "debug", Format: "json"},
	}, c)
	assert.False(t, c.Queue.IsEmbedded())
}

func TestFlagsAreNamedAfterVariables(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&Config{}, kong.NamedMapper("truth", pythonBool{}))
	require.NoError(t, err)
	for _, flag := range parser.Model.Flags {
		if flag.Name == "help" || flag.Name == envFileFlag || flag.Name == "pruned-data-dir" { // --data-dir is Open WebUI's
			continue
		}
		require.Len(t, flag.Envs, 1, flag.Name)
		if flag.Name == "vector-db" {
			assert.Equal(t, strings.Join(VectorStores, "|"), flag.PlaceHolder)
		}
		name := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(flag.Envs[0], "PRUNED_")), "_", "-")
		assert.Equal(t, name, flag.Name)
	}
}

func TestFlagWinsOverVariable(t *testing.T) {
	t.Parallel()
	c, err := parse(with("PRUNED_BATCH=7", "PRUNED_DRY_RUN=true", "DATA_DIR=/data"),
		"--batch=8", "--dry-run=false", "--min-age", "2h", "--stream", "P", "--pruned-data-dir", "/p")
	require.NoError(t, err)
	assert.Equal(t, 8, c.Consumer.Batch)
	assert.False(t, c.Consumer.DryRun)
	assert.Equal(t, 2*time.Hour, c.Ages.Min)
	assert.Equal(t, "P", c.Queue.Stream)
	assert.Equal(t, "/p", c.Queue.DataDir)
	assert.Equal(t, "/data", c.Storage.DataDir)
}

func TestSecretsHaveNoFlag(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"database-url", "database-password", "pgvector-db-url", "pgvector-pgcrypto-key", "webhook-token", "open-webui-token", "nats-url", "chroma-http-headers", "chroma-client-auth-credentials", "milvus-token", "qdrant-api-key", "weaviate-api-key", "pinecone-api-key", "valkey-url", "opensearch-password", "elasticsearch-api-key", "elasticsearch-password"} {
		assert.Equal(t, []string{"unknown flag --" + flag}, lines(t, usable, "--"+flag+"=hunter2"))
	}
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no command":    {nil, `wanted a command after "pruned": one of run, dead, demo`},
		"no subcommand": {[]string{"dead"}, `wanted a command after "pruned dead": one of list, show`},
		"no argument":   {[]string{"dead", "show"}, `expected "<seq>"`},
		"flag":          {[]string{"run", "--drian"}, `unknown flag --drian, did you mean "--drain"?`},
		"flag's value":  {[]string{"run", "--batch=x"}, `--batch: expected a valid 64 bit int but got "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(&cli{}, test.args, usable, io.Discard, kong.Name("pruned"))
			var usage *UsageError
			require.ErrorAs(t, err, &usage)
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestCommandThatNeedsNoSettings(t *testing.T) {
	t.Parallel()
	var c cli
	_, err := Parse(&c, []string{"demo"}, []string{"DATABASE_URL=postgresql://u:p@db/webui", "NATS_URL=nats://n", "PRUNED_X=1"}, io.Discard)
	require.NoError(t, err)
	assert.True(t, c.Queue.IsEmbedded(), "nothing of the operator's is used")
	_, file := c.Database.SQLite()
	assert.True(t, file)
}

func TestHelpTellsCommandsFirst(t *testing.T) {
	t.Parallel()
	var stdout bytes.Buffer
	_, err := Parse(&cli{}, []string{"--help"}, usable, &stdout, kong.Name("pruned"))
	require.ErrorIs(t, err, ErrDone)
	commands, settings, found := strings.Cut(stdout.String(), "\nFlags:\n")
	require.True(t, found)
	assert.Contains(t, commands, "\nCommands:\n")
	assert.Contains(t, settings, "--database-type")
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	broken := []string{"PRUNED_BATCH=x", "PRUNED_UNKNOWN=1", "DATABASE_URL=postgresql://u:hunter2@db/webui"}
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"help": {[]string{"run", "--help"}, []string{
			"Usage: pruned run", "--batch=500", "$PRUNED_BATCH", "  $NATS_URL  ", "  $DATABASE_URL  ",
		}},
		"version": {[]string{"--version"}, []string{"v1.2.3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout bytes.Buffer
			_, err := Parse(&cli{}, test.args, broken, &stdout, kong.Name("pruned"), kong.Vars{"version": "v1.2.3"})
			require.ErrorIs(t, err, ErrDone)
			for _, want := range test.want {
				assert.Contains(t, stdout.String(), want)
			}
			assert.NotContains(t, stdout.String(), "hunter2")
		})
	}
}

func TestHelpThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	_, err := Parse(&cli{}, []string{"--help"}, nil, brokenWriter{})
	assert.ErrorIs(t, err, errBroken)
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestFaultOfTheGrammar(t *testing.T) {
	t.Parallel()
	_, err := Parse(cli{}, nil, nil, io.Discard)
	require.Error(t, err)
	var usage *UsageError
	assert.NotErrorAs(t, err, &usage)
}
