// Package pgvector is the vector store that lies in PostgreSQL: table document_chunk, in the
// database of the application's other tables (Store) or in another (Remote).
//
// Its central idea is that deleting chunks is one statement, in the same database one of
// the transaction that deletes the file. That statement takes every row FOR UPDATE SKIP LOCKED
// before it deletes it, so that it neither waits for the application nor
// deadlocks with another worker, and it finds rows by index whatever the
// planner's statistics say, so that its cost depends on the files alone. The
// package knows nothing of table file, of references, or of the queue.
//
// Facts about the table are from open_webui/retrieval/vector/dbs/pgvector.py of
// Open WebUI 0.12.4.
package pgvector

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"pruned/config/secret"
	"pruned/vectors"
)

// Options are the application's settings for this store.
type Options struct {
	URL       string      // PGVECTOR_DB_URL, or DATABASE_URL where that is unset
	Crypto    bool        // PGVECTOR_PGCRYPTO
	CryptoKey secret.Text // PGVECTOR_PGCRYPTO_KEY; needed with Crypto, ignored without
}

// Store is the table of chunks in the database of the rows.
type Store struct{ *chunkTable }

var (
	_ vectors.Transactional   = (*Store)(nil)
	_ vectors.CollectionStore = (*Store)(nil)
	_ vectors.Indexer         = (*Store)(nil)
	_ vectors.Encrypted       = (*Store)(nil)
)

// chunkTable is the table, wherever it lies.
type chunkTable struct {
	pool   *pgxpool.Pool
	crypto bool
	key    secret.Text
	known  atomic.Pointer[table] // nil until looked for
}

// New makes a store. It opens no session: the table is looked for when it is
// first needed, and whatever is wrong with it is an error of Check and of
// each removal.
func New(ctx context.Context, options Options) (*Store, error) {
	t, err := openTable(ctx, options, sessionsOfStore)
	if err != nil {
		return nil, err
	}
	return &Store{t}, nil
}

// sessionsOfStore is enough: what removes does so in the transactions of others.
const sessionsOfStore = 1

func openTable(ctx context.Context, options Options, sessions int32) (*chunkTable, error) {
	if options.Crypto && options.CryptoKey == "" {
		return nil, errors.New("PGVECTOR_PGCRYPTO is set, but PGVECTOR_PGCRYPTO_KEY is not")
	}
	config, err := pgxpool.ParseConfig(options.URL)
	if err != nil {
		return nil, fmt.Errorf("read the database URL of the vector store: %w", err)
	}
	limitSessions(config, sessions)
	config.BeforeConnect = readCertificates(options.URL)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("make the sessions of the vector store: %w", err)
	}
	return &chunkTable{pool: pool, crypto: options.Crypto, key: options.CryptoKey}, nil
}

// limitSessions keeps few sessions, for a short while, and leaves nothing in them that a
// pooler between transactions would lose.
func limitSessions(config *pgxpool.Config, most int32) {
	config.MaxConns, config.MinConns, config.MinIdleConns = most, 0, 0
	config.MaxConnIdleTime, config.HealthCheckPeriod = 10*time.Second, 10*time.Second
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.ConnConfig.BuildContextWatcherHandler = cancelOnServer
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	if _, set := config.ConnConfig.RuntimeParams["application_name"]; !set {
		config.ConnConfig.RuntimeParams["application_name"] = "pruned"
	}
}

// readCertificates reads them for each session: they are renewed while we run.
func readCertificates(url string) func(context.Context, *pgx.ConnConfig) error {
	return func(_ context.Context, config *pgx.ConnConfig) error {
		now, err := pgx.ParseConfig(url)
		if err == nil {
			config.TLSConfig, config.Fallbacks = now.TLSConfig, now.Fallbacks
		}
		return err
	}
}

// cancelOnServer ends a statement whose caller gave up: a pass over the table,
// or the making of an index, would go on for long.
func cancelOnServer(conn *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: 5 * time.Second}
}

// Close closes the session, if one is open.
func (s *chunkTable) Close() { s.pool.Close() }

// String keeps the key out of what is printed.
func (s *chunkTable) String() string { return "pgvector" }
