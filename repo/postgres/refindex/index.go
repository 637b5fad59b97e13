package refindex

import (
	"context"
	"maps"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo/openwebui"
)

// Config names the tables of the index, and bounds its waits.
type Config struct {
	Schema string // of the application's tables
	// Excluded are the exclusions besides Open WebUI's own exceptions: schema.table,
	// schema.table.column, or schema.table.column.path for a path of a column's JSON.
	// The application's own schema is the empty one; * is every table. They are part
	// of each table's signature, so that a table is read whole again when they change.
	Excluded []string
	// CitationsIgnore excludes what answers cite (openwebui.Citations).
	CitationsIgnore bool
	// DepartedIgnore: what mentions a file in a row that nobody can open any more, since its
	// user is gone, keeps nothing (openwebui.Owned). It changes no table's signature.
	DepartedIgnore bool
	// Strict closes the instant between RecheckReferences and the commit, in which a file
	// may be mentioned unseen: writers of every table that may mention it wait for
	// that long.
	Strict bool
	// LockTimeout bounds a transaction's wait for its first lock.
	LockTimeout time.Duration
	// PageTime is how long a transaction of a full pass keeps other passes waiting.
	PageTime time.Duration
	// LongWriting is the age from which on an open transaction that writes keeps
	// files.
	LongWriting time.Duration

	// ExecMode is how a statement is sent that many transactions run.
	ExecMode func() pgx.QueryExecMode
	// Run runs fn in a transaction of its own, whose statements may take timeout each.
	Run func(ctx context.Context, timeout time.Duration, fn func(pgx.Tx) error) error
	// OnRebuild deletes everything that was derived from an index that is thrown away,
	// in the transaction that throws it away.
	OnRebuild func(ctx context.Context, t pgx.Tx) error
}

// Index is the reference index of one installation.
type Index struct {
	Config
	// LastPlan is the plan of the last search. Any plan may be put there: each
	// statement reports the state that it saw, and a plan that was made for another
	// state is thrown away.
	LastPlan atomic.Pointer[Plan]

	blind    atomic.Pointer[tableQuery] // see askBlind
	quiet    quiet
	readings readings
}

// notReferences are the tables whose rows keep no file.
var notReferences = append([]string{openwebui.VectorTable}, openwebui.NotReferences...)

// New makes the index that a configuration describes; it asks the database nothing.
func New(config Config) *Index {
	var excluded []string
	for _, name := range notReferences {
		excluded = append(excluded, "."+name)
	}
	if config.CitationsIgnore {
		for _, path := range openwebui.Citations {
			excluded = append(excluded, "."+path)
		}
	}
	config.Excluded = append(excluded, config.Excluded...)
	return &Index{Config: config}
}

// catalogArgs are the parameters that statements over the catalog share, beside others.
// Statements that hold names of tables have none of these: pgx stops reading at a byte
// that is no UTF-8, which names have in a database of another encoding.
func (ix *Index) catalogArgs(more pgx.NamedArgs) pgx.NamedArgs {
	args := pgx.NamedArgs{"schema": ix.Schema, "excluded": ix.Excluded}
	maps.Copy(args, more)
	return args
}

// quotedTable is the quoted name of a table of the application.
func (ix *Index) quotedTable(name string) string { return pgx.Identifier{ix.Schema, name}.Sanitize() }

// withFileTable fills in the name of table file.
func (ix *Index) withFileTable(text string) string {
	return strings.ReplaceAll(text, "%s", ix.quotedTable("file"))
}

// ReadColumn runs a query for one column.
func ReadColumn[T any](ctx context.Context, t pgx.Tx, sql string, args ...any) ([]T, error) {
	rows, _ := t.Query(ctx, sql, args...) // an error comes out of the rows as well
	return pgx.CollectRows(rows, pgx.RowTo[T])
}
