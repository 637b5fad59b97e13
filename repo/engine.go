package repo

import (
	"context"
	"iter"
	"time"
)

// Engine is the opened database of one installation: what batches and sweeps
// need of it, and what commands ask besides.
type Engine interface {
	DB
	Sweeps

	// Migrate brings our own tables up to date, Uninstall removes them.
	Migrate(ctx context.Context) error
	Uninstall(ctx context.Context) error

	// Row tells what the row of one file says; exists is false without an error
	// where there is none. References lists every mention that keeps it, up to
	// 1,000.
	Row(ctx context.Context, id string) (info FileInfo, exists bool, err error)
	References(ctx context.Context, tx Tx, id string) ([]Mention, error)

	// Search makes what Look and References say of these ids true, and needs no more
	// than one search for that: of others they may say that they are unknown.
	Search(ctx context.Context, ids []string, progress Progress) error

	// Strays counts the tombstones that another installation wrote, and names one
	// such: this database was copied from its, or is its own, restored or moved.
	// Nobody carries them out.
	Strays(ctx context.Context) (n int64, whose string, err error)

	// Unsearchable counts the files that are always kept, whatever nothing mentions.
	Unsearchable(ctx context.Context) (Unsearchable, error)

	// Ledger lists what was deleted, oldest first: everything, or one file's.
	Ledger(ctx context.Context, id string) iter.Seq2[Entry, error]

	// Examine looks at everything that is needed of the database, and changes
	// nothing.
	Examine(ctx context.Context) ([]Finding, error)
	// Unsearched names the tables and schemas that are not searched for mentions
	// though nobody asked for that (PRUNED_IGNORE does).
	Unsearched(ctx context.Context) ([]string, error)

	Close()
}

// Brief is an engine whose transactions keep everybody else from writing, and say
// so by Locked.Since.
type Brief interface {
	// Brief is how long a transaction should do that.
	Brief() time.Duration
}

// Identity tells one installation from every other: a copy of a database is
// another installation, its backup restored elsewhere too (see package witness).
type Identity struct {
	Key  string // what is compared; complete after Migrate
	Name string // of the database, for people
	// Elsewhere is where this database ran last under another identity, for people:
	// it is a copy, or was moved. What others may use, too, is not its own then until
	// a person says so. Empty where it never did.
	Elsewhere string
}

// Finding is one line of an examination.
type Finding struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Warn   bool   `json:"warning,omitempty"` // it works, and somebody should look
	Detail string `json:"detail"`
	Do     string `json:"do,omitempty"` // what to do about it
}
