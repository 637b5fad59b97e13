package config

import (
	"errors"
	"regexp"
	"strings"
	"time"
)

// Validate says everything that is wrong, a line each: the setting, its value
// unless that is secret, and what was wanted. kong calls it after parsing.
func (c *Config) Validate() error {
	var ps problems
	c.Database.check(&ps)
	c.checkDefaultDatabase(&ps)
	c.checkDataDir(&ps)
	c.checkVectors(&ps)
	c.Storage.check(&ps)
	c.Queue.check(&ps)
	c.Consumer.check(&ps)
	c.Ages.check(&ps)
	c.Sweep.check(&ps)
	c.HTTP.check(&ps)
	c.Log.check(&ps)
	return errors.Join(ps...)
}

const (
	wantedPostgres = "wanted postgresql://user:password@host:port/database"
	wantedDatabase = wantedPostgres + " or sqlite:////path/webui.db"
)

var (
	schemaName = regexp.MustCompile(`^[\pL_][\pL\pN_$-]*$`)
	columnName = regexp.MustCompile(`^[\pL\pN_$-]+(\.[\pL\pN_$-]+){0,2}$|^[\pL\pN_$-]+\.\*$`)
)

func (d Database) check(ps *problems) {
	d.checkURL(ps)
	// PostgreSQL cuts longer names off, and would then look elsewhere.
	if d.Schema != "" && (len(d.Schema) > 63 || !schemaName.MatchString(d.Schema)) {
		ps.add("DATABASE_SCHEMA", "%q is not the name of a schema: wanted letters, digits, _, - or $, at most 63 bytes", d.Schema)
	}
	for _, name := range d.Ignore {
		if !columnName.MatchString(name) {
			ps.add("PRUNED_IGNORE", "%q is neither a table nor a column: wanted table, table.column, schema.*, schema.table or schema.table.column, separated by commas", name)
		}
	}
	oneOf(ps, "PRUNED_CITATIONS", d.Citations, "keep", "ignore")
	atLeast(ps, "PRUNED_LEDGER_RETENTION", d.LedgerRetention, 0)
}

func (d Database) checkURL(ps *problems) {
	source := d.source()
	if source != "" {
		if _, err := databaseURL(source); err != nil {
			ps.add("DATABASE_URL", "%s %w: %s", Redact(source), err, wantedDatabase)
		}
	} else if !d.isDefault() {
		ps.add("DATABASE_URL", "is not set, and cannot be made without %s: %s", strings.Join(d.missing(), ", "), wantedDatabase)
	}
	if d.Schema != "" && d.isFile() {
		ps.add("DATABASE_SCHEMA", "is set, and a database that is a file has no schemas: unset it")
	}
}

// checkDefaultDatabase refuses to guess where Open WebUI's data is.
func (c *Config) checkDefaultDatabase(ps *problems) {
	if !c.Database.isDefault() || c.Storage.DataDir != "" {
		return
	}
	if _, found := findDataDir(dataDirs()); !found {
		ps.add("DATABASE_URL", "is not set, nor is DATA_DIR, and there is no %s in %s: %s",
			sqliteFile, strings.Join(dataDirs(), ", "), wantedDatabase)
	}
}

const wantedVectors = "wanted one of chroma, pgvector, none"

func (c *Config) checkVectors(ps *problems) {
	switch c.Vectors.DB {
	case "none":
	case "chroma", "":
		c.Chroma.check(ps)
		if c.Vectors.DB == "" && c.Vectors.URL != "" {
			ps.add("VECTOR_DB", "is not set, and PGVECTOR_DB_URL is: wanted pgvector where the vectors are there, else chroma")
		}
	case "pgvector":
		c.checkPGVector(ps)
	default:
		ps.add("VECTOR_DB", "%q is not built yet: %s", c.Vectors.DB, wantedVectors)
	}
}

func (c *Config) checkPGVector(ps *problems) {
	v := c.Vectors
	if c.Database.isFile() {
		ps.add("VECTOR_DB", "\"pgvector\" is built only in the database of DATABASE_URL, and that is SQLite: %s", wantedVectors)
	}
	if v.URL != "" {
		if _, err := postgresURL(string(v.URL)); err != nil {
			ps.add("PGVECTOR_DB_URL", "%s %w: %s", Redact(string(v.URL)), err, wantedPostgres)
		}
	}
	if v.PGCrypto && v.PGCryptoKey == "" {
		ps.add("PGVECTOR_PGCRYPTO_KEY", "is not set: wanted Open WebUI's, as PGVECTOR_PGCRYPTO is true")
	}
}

func (s Storage) check(ps *problems) {
	if s.Provider != "local" {
		ps.add("STORAGE_PROVIDER", "%q is not built yet: wanted local", s.Provider)
	}
}

func (q Queue) check(ps *problems) {
	q.checkConnection(ps)
	q.checkStream(ps)
	if q.Retention != 0 {
		atLeast(ps, "PRUNED_RETENTION", q.Retention, leastRetention)
	}
	atLeast(ps, "PRUNED_MAX_BYTES", q.MaxBytes, MiB)
}

// leastRetention is what a NATS server accepts, where it is limited at all.
const leastRetention = 100 * time.Millisecond

var streamName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// checkStream leaves room for what is appended to the name, and refuses what an
// installation of another name appends to its own.
func (q Queue) checkStream(ps *problems) {
	if !streamName.MatchString(q.Stream) {
		ps.add("PRUNED_STREAM", "%q is not the name of a stream: wanted at most 64 letters of ASCII, digits, _ or -", q.Stream)
	}
	for _, end := range []string{"_DEAD", "_HINTS", "_LATER"} {
		if strings.HasSuffix(strings.ToUpper(q.Stream), end) {
			ps.add("PRUNED_STREAM", "%q may be a stream of another installation's: wanted a name that does not end in %s", q.Stream, end)
		}
	}
}

func (c Consumer) check(ps *problems) {
	within(ps, "PRUNED_BATCH", c.Batch, 1, 10_000)
	within(ps, "PRUNED_WORKERS", c.Workers, 1, 64)
	atLeast(ps, "PRUNED_RATE", c.Rate, 0)
	atLeast(ps, "PRUNED_BYTES_DELAY", c.BytesDelay, 0)
}

func (a Ages) check(ps *problems) {
	atLeast(ps, "PRUNED_MIN_AGE", a.Min, 0)
	atLeast(ps, "PRUNED_PENDING_AGE", a.Pending, 0)
	atLeast(ps, "PRUNED_ORPHAN_AGE", a.Orphan, 0)
}

func (s Sweep) check(ps *problems) {
	atLeast(ps, "PRUNED_SWEEP_EVERY", s.Every, 0)
	within(ps, "PRUNED_MAX_FRACTION", s.MaxFraction, 0, 1)
}

// minToken is what nobody guesses over a network.
const minToken = 16

func (h HTTP) check(ps *problems) {
	address(ps, "PRUNED_HTTP", h.Listen)
	if n := len(h.WebhookToken); n > 0 && n < minToken {
		ps.add("PRUNED_WEBHOOK_TOKEN", "has %d characters, and is all that protects the receiver: wanted %d or more, such as those of openssl rand -hex 32", n, minToken)
	}
	if h.Pprof != "" {
		address(ps, "PRUNED_PPROF", h.Pprof)
	}
}

func (l Log) check(ps *problems) {
	oneOf(ps, "PRUNED_LOG_LEVEL", l.Level, "trace", "debug", "info", "warn", "error")
	oneOf(ps, "PRUNED_LOG_FORMAT", l.Format, "auto", "json", "console")
}
