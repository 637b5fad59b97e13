// Package config is everything an operator can set: flags, environment
// variables (Open WebUI's own where it has one), files that hold secrets.
//
// Its central idea is that a Config which left Parse is right: every setting
// was read, checked against the others and completed before anything is
// opened, and all that is wrong is told at once. It is cut into small parts by
// who needs them; only the command sees the whole. The package knows no
// database driver, no queue and no store.
package config

import (
	"path/filepath"
	"time"
)

// Config is embedded in the command line's struct. A setting's flag is its
// variable's name without PRUNED_, in lower case; one with the tag flagless
// has none, so that a secret never shows in a list of processes. Every Secret
// can also come from the file that NAME_FILE names.
type Config struct {
	EnvFile envFile `name:"env-file" placeholder:"FILE" help:"Open WebUI's own .env, for what the environment does not set."`

	Database Database `embed:"" group:"Open WebUI's database"`
	Vectors  Vectors  `embed:"" group:"Open WebUI's vectors"`
	Chroma   Chroma   `embed:"" group:"Open WebUI's vectors"`
	Storage  Storage  `embed:"" group:"Open WebUI's uploads"`
	Queue    Queue    `embed:"" group:"Queue"`
	Consumer Consumer `embed:"" group:"Batches"`
	Ages     Ages     `embed:"" group:"Ages"`
	Sweep    Sweep    `embed:"" group:"Sweeps"`
	HTTP     HTTP     `embed:"" group:"HTTP"`
	Log      Log      `embed:"" group:"Log"`

	// Assumed is what was not set and taken for granted, a sentence each.
	Assumed []string `kong:"-"`
}

// Database is for the engine. After Parse URL is complete, whatever it was made
// of: in the form that PostgreSQL's own tools read, or that of a file (SQLite).
type Database struct {
	URL      Secret `name:"database-url" env:"DATABASE_URL" flagless:"" help:"postgresql://user:password@host:port/database, or sqlite:////path/webui.db; unset: webui.db in Open WebUI's data folder."`
	Type     string `name:"database-type" env:"DATABASE_TYPE" placeholder:"postgresql" help:"With user or password, host, port and name: makes a URL that wins over DATABASE_URL, as in Open WebUI."`
	User     string `name:"database-user" env:"DATABASE_USER" placeholder:"USER" help:"See --database-type."`
	Password Secret `name:"database-password" env:"DATABASE_PASSWORD" flagless:"" help:"See --database-type."`
	Host     string `name:"database-host" env:"DATABASE_HOST" placeholder:"HOST" help:"See --database-type."`
	Port     string `name:"database-port" env:"DATABASE_PORT" placeholder:"PORT" help:"See --database-type."`
	Name     string `name:"database-name" env:"DATABASE_NAME" placeholder:"NAME" help:"See --database-type."`
	Schema   string `name:"database-schema" env:"DATABASE_SCHEMA" placeholder:"SCHEMA" help:"Schema of Open WebUI's tables; unset: the search path."`

	Ignore          []string      `name:"ignore" env:"PRUNED_IGNORE" placeholder:"[SCHEMA.]TABLE[.COLUMN]" help:"Tables, columns or schemas (schema.*) whose mentions do not keep a file."`
	Citations       string        `name:"citations" env:"PRUNED_CITATIONS" default:"keep" help:"Whether a citation in a chat keeps the cited file: keep or ignore."`
	LedgerRetention time.Duration `name:"ledger-retention" env:"PRUNED_LEDGER_RETENTION" default:"2160h" help:"How long the ledger remembers a deleted file; 0: for ever."`
}

// Vectors is for the vector store. After Parse URL is set if DB is pgvector.
type Vectors struct {
	DB          string `name:"vector-db" env:"VECTOR_DB" placeholder:"chroma|pgvector|none" help:"Open WebUI's vector store; unset: chroma."`
	URL         Secret `name:"pgvector-db-url" env:"PGVECTOR_DB_URL" flagless:"" help:"Unset: the database's."`
	HalfVec     bool   `name:"pgvector-use-halfvec" env:"PGVECTOR_USE_HALFVEC" type:"truth" help:"Vectors are stored as halfvec."`
	PGCrypto    bool   `name:"pgvector-pgcrypto" env:"PGVECTOR_PGCRYPTO" type:"truth" help:"Chunks are stored encrypted."`
	PGCryptoKey Secret `name:"pgvector-pgcrypto-key" env:"PGVECTOR_PGCRYPTO_KEY" flagless:"" help:"Key of the encrypted chunks."`

	Guessed bool `kong:"-"` // DB was not set
}

// Storage is where Open WebUI keeps the bytes.
type Storage struct {
	DataDir  string `name:"data-dir" env:"DATA_DIR" placeholder:"DIR" help:"Open WebUI's data folder; unset: the first of ., ./data and /app/backend/data that holds webui.db."`
	Provider string `name:"storage-provider" env:"STORAGE_PROVIDER" default:"local" help:"Where the bytes are: local."`
}

// Uploads is the folder that Open WebUI uploads to. It has no variable of its
// own there (config.py: UPLOAD_DIR).
func (s Storage) Uploads() string { return filepath.Join(s.DataDir, "uploads") }

// VectorDir is the folder of an embedded vector store, which has no variable of
// its own either.
func (s Storage) VectorDir() string { return filepath.Join(s.DataDir, "vector_db") }

// Queue is for whoever connects to NATS, or embeds it.
type Queue struct {
	URL       Secret        `name:"nats-url" env:"NATS_URL" flagless:"" help:"NATS servers with JetStream; unset: an embedded one."`
	Creds     string        `name:"nats-creds" env:"NATS_CREDS" placeholder:"FILE" help:"Credentials file."`
	NKey      string        `name:"nats-nkey" env:"NATS_NKEY" placeholder:"FILE" help:"File with an nkey's seed."`
	CA        string        `name:"nats-ca" env:"NATS_CA" placeholder:"FILE" help:"Certificates of the authorities to trust."`
	Cert      string        `name:"nats-cert" env:"NATS_CERT" placeholder:"FILE" help:"Client certificate."`
	Key       string        `name:"nats-key" env:"NATS_KEY" placeholder:"FILE" help:"Key of the client certificate."`
	DataDir   string        `name:"pruned-data-dir" env:"PRUNED_DATA_DIR" placeholder:"DIR" help:"Folder of the embedded queue; unset: pruned in Open WebUI's data folder."`
	Listen    string        `name:"nats-listen" env:"PRUNED_NATS_LISTEN" default:"127.0.0.1:4222" help:"Where the embedded queue listens, on this machine only."`
	Stream    string        `name:"stream" env:"PRUNED_STREAM" default:"PRUNED" help:"Name of the stream; subjects begin with it in lower case."`
	Retention time.Duration `name:"retention" env:"PRUNED_RETENTION" default:"720h" help:"How long events can be replayed; 0: for ever."`
	MaxBytes  Size          `name:"max-bytes" env:"PRUNED_MAX_BYTES" default:"1GiB" help:"Size at which the stream refuses more."`
}

// Embedded says whether the queue runs in this process.
func (q Queue) Embedded() bool { return q.URL == "" }

// Consumer is how claims are handled.
type Consumer struct {
	Batch      int           `name:"batch" env:"PRUNED_BATCH" default:"500" help:"Events that a transaction starts with."`
	Workers    int           `name:"workers" env:"PRUNED_WORKERS" default:"2" help:"Transactions at the same time."`
	Rate       float64       `name:"rate" env:"PRUNED_RATE" default:"0" help:"Files a second at most; 0: no limit."`
	DryRun     bool          `name:"dry-run" env:"PRUNED_DRY_RUN" help:"Do everything, then roll back."`
	Strict     bool          `name:"strict" env:"PRUNED_STRICT" help:"Lock the tables that hold references for the last look."`
	BytesDelay time.Duration `name:"bytes-delay" env:"PRUNED_BYTES_DELAY" default:"1h" help:"From the commit to the removal of the bytes."`
}

// Ages are what a file is measured against.
type Ages struct {
	Min     time.Duration `name:"min-age" env:"PRUNED_MIN_AGE" default:"24h" help:"A file younger than this is kept."`
	Pending time.Duration `name:"pending-age" env:"PRUNED_PENDING_AGE" default:"168h" help:"A file in processing and touched within this is kept."`
	Orphan  time.Duration `name:"orphan-age" env:"PRUNED_ORPHAN_AGE" default:"1h" help:"A file unreferenced for less than this is kept."`
}

// Sweep is when sweeps run and what holds them.
type Sweep struct {
	Every       time.Duration `name:"sweep-every" env:"PRUNED_SWEEP_EVERY" default:"5m" help:"Time between sweeps; 0: only when something changed or becomes due."`
	MaxFraction float64       `name:"max-fraction" env:"PRUNED_MAX_FRACTION" default:"0.2" help:"A sweep that finds more than this part to be orphans is held; 1: never for that."`
}

// HTTP is what is served. Pprof is empty where profiles are not.
type HTTP struct {
	Listen       string `name:"http" env:"PRUNED_HTTP" default:"127.0.0.1:8077" help:"Where health (/healthz, /readyz) and the webhook are served."`
	WebhookToken Secret `name:"webhook-token" env:"PRUNED_WEBHOOK_TOKEN" flagless:"" help:"Token of Open WebUI's webhook; unset: no receiver."`
	Pprof        string `name:"pprof" env:"PRUNED_PPROF" placeholder:"HOST:PORT" help:"Where profiles are served; unset: nowhere."`
}

// Log is what is written to stderr, and how.
type Log struct {
	Level  string `name:"log-level" env:"PRUNED_LOG_LEVEL" default:"info" help:"trace, debug, info, warn or error."`
	Format string `name:"log-format" env:"PRUNED_LOG_FORMAT" default:"auto" help:"console, json, or auto: console on a terminal."`
}
