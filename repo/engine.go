package repo

import (
	"context"
	"iter"
)

// Engine is the opened database of one installation, by what is asked of it. Whoever
// needs less declares the roles that it needs.
type Engine struct {
	Transactor
	Pruner
	Index
	Leftovers
	Reaper
	SweepStore
	Confirmations
	Lease
	Ownership
	Links
	DanglingRows
	Inspector
	Usage
	Reporter
	Browser
	Labeller
	Trash
	Keeps
	Admin
}

// NewEngine makes an engine of a database that plays every role.
func NewEngine[DB interface {
	Transactor
	Pruner
	Index
	Leftovers
	Reaper
	SweepStore
	Confirmations
	Lease
	Ownership
	Links
	DanglingRows
	Inspector
	Usage
	Reporter
	Browser
	Labeller
	Trash
	Keeps
	Admin
}](db DB) Engine {
	return Engine{db, db, db, db, db, db, db, db, db, db, db, db, db, db, db, db, db, db, db}
}

// Inspector answers the questions of people.
type Inspector interface {
	// DescribeFile tells what the row of one file says; exists is false without an error
	// where there is none. ListReferences lists every mention that keeps it, up to
	// 1,000.
	DescribeFile(ctx context.Context, id string) (info FileInfo, exists bool, err error)
	ListReferences(ctx context.Context, tx Tx, id string) ([]Mention, error)

	// CountForeignTombstones counts the tombstones that another installation wrote, and names one
	// such: this database was copied from its, or is its own, restored or moved.
	// Nobody carries them out.
	CountForeignTombstones(ctx context.Context) (n int64, whose string, err error)

	// CountUnsearchable counts the files that are always kept, whatever nothing mentions.
	CountUnsearchable(ctx context.Context) (Unsearchable, error)

	// ReadLedger lists what was deleted, oldest first: everything, or one file's.
	ReadLedger(ctx context.Context, id string) iter.Seq2[Entry, error]

	// CheckDatabase looks at everything that is needed of the database, and changes
	// nothing.
	CheckDatabase(ctx context.Context) ([]Finding, error)

	// ListUnsearched names the tables and schemas that are not searched for mentions
	// though nobody asked for that (PRUNED_IGNORE does).
	ListUnsearched(ctx context.Context) ([]string, error)

	// ListWebhooks are the addresses of the enabled webhooks that the application sends
	// its events to. They hold secrets.
	ListWebhooks(ctx context.Context) ([]string, error)
}

// Admin makes our own tables, and ends.
type Admin interface {
	// Migrate brings our own tables up to date, Uninstall removes them.
	Migrate(ctx context.Context) error
	Uninstall(ctx context.Context) error

	// CaptureChanges has the database note which rows the application writes, so that looks
	// need not read tables for them; it returns the tables of which it does, and those of
	// which it cannot. ReleaseChanges ends that.
	CaptureChanges(ctx context.Context) (captured, others []string, err error)
	ReleaseChanges(ctx context.Context) error
	Close()
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
	Remedy string `json:"remedy,omitempty"` // what to do about it
}
