package config

import (
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"pruned/config/dsn"
	"pruned/config/secret"
)

// Database is for the engine. After Parse URL is complete, whatever it was made
// of: in the form that PostgreSQL's own tools read, or that of a file (SQLite).
type Database struct {
	URL      secret.Text `name:"database-url" env:"DATABASE_URL" address:"" flagless:"" help:"postgresql://user:password@host:port/database, or sqlite:////path/webui.db; unset: webui.db in Open WebUI's data folder."`
	Type     string      `name:"database-type" env:"DATABASE_TYPE" placeholder:"postgresql" help:"With user or password, host, port and name: makes a URL that wins over DATABASE_URL, as in Open WebUI."`
	User     string      `name:"database-user" env:"DATABASE_USER" placeholder:"USER" help:"See --database-type."`
	Password secret.Text `name:"database-password" env:"DATABASE_PASSWORD" flagless:"" help:"See --database-type."`
	Host     string      `name:"database-host" env:"DATABASE_HOST" placeholder:"HOST" help:"See --database-type."`
	Port     string      `name:"database-port" env:"DATABASE_PORT" placeholder:"PORT" help:"See --database-type."`
	Name     string      `name:"database-name" env:"DATABASE_NAME" placeholder:"NAME" help:"See --database-type."`
	Schema   string      `name:"database-schema" env:"DATABASE_SCHEMA" placeholder:"SCHEMA" help:"Schema of Open WebUI's tables; unset: the search path."`

	Ignore          []string      `name:"ignore" env:"PRUNED_IGNORE" placeholder:"[SCHEMA.]TABLE[.COLUMN]" help:"Tables, columns or schemas (schema.*) whose mentions do not keep a file."`
	Rows            string        `name:"rows" env:"PRUNED_ROWS" default:"keep" help:"What sweeps do with rows that nothing in Open WebUI can reach any more: keep, or dangling to remove them."`
	Citations       string        `name:"citations" env:"PRUNED_CITATIONS" default:"keep" help:"Whether a citation in a chat keeps the cited file: keep or ignore."`
	Departed        string        `name:"departed" env:"PRUNED_DEPARTED" default:"keep" help:"Whether private notes, folders, models, knowledge bases and prompts of users who are gone keep files: keep or ignore."`
	LedgerRetention time.Duration `name:"ledger-retention" env:"PRUNED_LEDGER_RETENTION" default:"2160h" help:"How long the ledger remembers a deleted file; 0: for ever."`
}

// RemovesDangling says whether sweeps remove rows that nothing in Open WebUI can reach.
func (d Database) RemovesDangling() bool { return d.Rows == "dangling" }

// sourceURL is the URL as Open WebUI would use it: the parts, once all are there,
// win over DATABASE_URL, and nothing in them is escaped (env.py).
func (d Database) sourceURL() string {
	switch {
	case len(d.missingParts()) == 0:
	case d.Type == "sqlite+sqlcipher" && d.URL == "":
		return d.Type + ":///" + sqliteFile
	default:
		return string(d.URL)
	}
	credentials := d.User
	if d.Password != "" {
		credentials += ":" + string(d.Password)
	}
	return d.Type + "://" + credentials + "@" + d.Host + ":" + d.Port + "/" + d.Name
}

type urlPart struct{ setting, value string }

func (d Database) urlParts() []urlPart {
	return []urlPart{
		{"DATABASE_TYPE", d.Type},
		{"DATABASE_USER", d.User + string(d.Password)}, // one of them is enough
		{"DATABASE_HOST", d.Host},
		{"DATABASE_PORT", d.Port},
		{"DATABASE_NAME", d.Name},
	}
}

func (d Database) missingParts() []string {
	var missing []string
	for _, p := range d.urlParts() {
		if p.value == "" {
			missing = append(missing, p.setting)
		}
	}
	return missing
}

// SQLite is the path of the database if it is a file.
func (d Database) SQLite() (path string, ok bool) {
	return dsn.FilePath(d.URL)
}

// isDefault says that nothing names a database: Open WebUI takes its own, then,
// a file in its data folder.
func (d Database) isDefault() bool {
	named := d
	if d.Type == "sqlite" {
		named.Type = ""
	}
	return d.URL == "" && len(named.missingParts()) == len(named.urlParts())
}

// isFile says the same as SQLite, before Parse has ended.
func (d Database) isFile() bool {
	url, _ := dsn.NormalizeDatabase(d.sourceURL())
	_, file := dsn.FilePath(url)
	return file || d.isDefault()
}

const (
	wantedPostgres = "wanted postgresql://user:password@host:port/database"
	wantedDatabase = wantedPostgres + " or sqlite:////path/webui.db"
)

var (
	schemaName = regexp.MustCompile(`^[\pL_][\pL\pN_$-]*$`)
	columnName = regexp.MustCompile(`^[\pL\pN_$-]+(\.[\pL\pN_$-]+){0,2}$|^[\pL\pN_$-]+\.\*$`)
)

func (d Database) checkDatabase(ps *problems) {
	d.checkURL(ps)
	// PostgreSQL cuts longer names off, and would then look elsewhere.
	if d.Schema != "" && (len(d.Schema) > 63 || !schemaName.MatchString(d.Schema)) {
		ps.addProblem("DATABASE_SCHEMA", "%q is not the name of a schema: wanted letters, digits, _, - or $, at most 63 bytes", d.Schema)
	}
	for _, name := range d.Ignore {
		if !columnName.MatchString(name) {
			ps.addProblem("PRUNED_IGNORE", "%q is neither a table nor a column: wanted table, table.column, schema.*, schema.table or schema.table.column, separated by commas", name)
		}
	}
	checkOneOf(ps, "PRUNED_ROWS", d.Rows, "keep", "dangling")
	checkOneOf(ps, "PRUNED_CITATIONS", d.Citations, "keep", "ignore")
	checkOneOf(ps, "PRUNED_DEPARTED", d.Departed, "keep", "ignore")
	checkMin(ps, "PRUNED_LEDGER_RETENTION", d.LedgerRetention, 0)
}

func (d Database) checkURL(ps *problems) {
	source := d.sourceURL()
	if source != "" {
		if _, err := dsn.NormalizeDatabase(source); err != nil {
			ps.addProblem("DATABASE_URL", "%s %w: %s", secret.Redact(source), err, wantedDatabase)
		}
	} else if !d.isDefault() {
		ps.addProblem("DATABASE_URL", "is not set, and cannot be made without %s: %s", strings.Join(d.missingParts(), ", "), wantedDatabase)
	}
	if d.Schema != "" && d.isFile() {
		ps.addProblem("DATABASE_SCHEMA", "is set, and a database that is a file has no schemas: unset it")
	}
}

// checkDefaultDatabase refuses to guess where Open WebUI's data is.
func (c *Config) checkDefaultDatabase(ps *problems) {
	if !c.Database.isDefault() || c.Storage.DataDir != "" {
		return
	}
	if _, found := findDataDir(dataDirs()); !found {
		ps.addProblem("DATABASE_URL", "is not set, nor is DATA_DIR, and there is no %s in %s: %s, or Open WebUI's data folder in DATA_DIR",
			sqliteFile, strings.Join(dataDirs(), ", "), wantedDatabase)
	}
}

func (c *Config) completeDatabase() (err error) {
	source := c.Database.sourceURL()
	if c.Database.isDefault() {
		path := filepath.Join(c.Storage.DataDir, sqliteFile)
		source = dsn.FromPath(path)
		c.noteAssumption("DATABASE_URL is not set: found %s", path)
	}
	c.Database.URL, err = dsn.NormalizeDatabase(source)
	return err
}
