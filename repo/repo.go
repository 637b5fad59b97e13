// Package repo is the database side of pruned: what a file, a reference, a
// tombstone is, and the contract that every engine fulfils.
//
// Its central idea is the shared transaction. A batch of events is handled
// inside one Tx: the rows are locked, looked for in every living row, deleted,
// and what lies outside the database is entombed; all of it commits or none of
// it does. The package knows neither the queue nor any vector store.
package repo

import (
	"context"
	"slices"
	"time"
)

// Tx is one open transaction of an engine. It hides the driver.
type Tx interface {
	// Exec runs one statement and returns the number of rows it touched
	// (returned, for a SELECT).
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
}

// Transactor opens transactions. Every error that leaves an engine is an *Error, or
// wraps one, or is what the caller's own function returned.
type Transactor interface {
	// InTx runs fn in a transaction. Given one it joins it, and neither
	// commits nor rolls back; given nil it opens one, commits when fn returns
	// nil and rolls back otherwise.
	InTx(ctx context.Context, tx Tx, fn func(Tx) error) error
}

// Ages are the settings that a row is measured against. The clock is the
// database's.
type Ages struct {
	Min     time.Duration // since the row was made
	Pending time.Duration // since a row that is being processed was touched
	Orphan  time.Duration // since the file is known to be unreferenced
}

// File is a locked row of table file.
type File struct {
	ID   string
	Path string // as the application wrote it; empty where it is NULL
	Age  time.Duration
	// EligibleIn is how long until the row is old enough and no longer in flight;
	// zero or less when it is.
	EligibleIn      time.Duration
	InFlight        bool          // status pending or processing, and touched lately
	UnreferencedFor time.Duration // how long it is known to be unreferenced
	HasGrace        bool          // whether that is known at all
}

// Locked is what Lock found. Every id asked for is in exactly one of the four.
type Locked struct {
	Files []File // locked, in the order of their ids
	Busy  []string
	Gone  []string
	// Deferred have no row, but no file has one: the table may be about to be
	// filled again from a backup. What somebody let go (Confirmations.ConfirmHold) is Gone.
	Deferred []string
	// Since is when the transaction began to keep everybody else from writing; zero
	// where it does not.
	Since time.Time
}

// DeferMissing defers what is gone, but for what somebody let go.
func (l *Locked) DeferMissing(letGo []string) {
	l.Deferred = slices.DeleteFunc(slices.Clone(l.Gone), func(id string) bool { return slices.Contains(letGo, id) })
	l.Gone = slices.DeleteFunc(l.Gone, func(id string) bool { return !slices.Contains(letGo, id) })
}

// Reference is one mention of a file's id.
type Reference struct {
	Table  string // bare name
	Row    string // primary key, as {a,b} if it has several columns; empty where the table has none
	Column string // empty where only the index was asked
}

// References is what FindReferences found.
type References struct {
	Referenced map[string]Reference // the first mention found
	Unknown    map[string]bool      // not yet known to the index, or not to be searched: must be kept
	Snapshot   string               // what RecheckReferences compares with; the engine's own
	Changed    int64                // bytes of changed rows that were read
	// DeadLinks are those of files to what nobody can open, which go with the file: pairs
	// that RecheckReferences asks about again; the engine's own.
	DeadLinks [][2]string
	// Pending says whose transaction, begun a while ago, may yet commit a mention of
	// any file, PendingRows a row of table file; empty: nobody's. What would be deleted
	// is kept meanwhile.
	Pending, PendingRows string
}

// Appeared is what RecheckReferences found.
type Appeared struct {
	References map[string]Reference // the first mention of each id, or its row in table file
	Changed    int64                // bytes of changed rows that were read
}

// Deleted is one row that DELETE returned.
type Deleted struct{ ID, Path string }

// Kinds of tombstones. The last two name a collection, or a point in one as FromPoints
// does, in place of a file.
const (
	Bytes      = "bytes"
	Vectors    = "vectors"
	Collection = "collection"
	Points     = "points"
)

// VectorKinds are the kinds that the store of vectors carries out, AllKinds all.
var (
	VectorKinds = []string{Vectors, Collection, Points}
	AllKinds    = append(slices.Clone(VectorKinds), Bytes)
)

// KindsIn are the kinds that are carried out where those of one are.
func KindsIn(kind string) []string {
	if kind == Bytes {
		return []string{Bytes}
	}
	return VectorKinds
}

// Tombstone names something outside the transaction that is still to be
// removed.
type Tombstone struct {
	Seq    int64 // given by the database
	Kind   string
	FileID string
	Name   string        // base name of the bytes; empty for vectors
	Delay  time.Duration // until it is due
	// Age is how long it has been there: of one that is due, when it was fetched. One that is
	// written begins with how long ago its bytes were seen: what was written over them since
	// stays (zero: just now).
	Age      time.Duration
	Fetched  time.Time
	Attempts int
	Trace    string // under which span it was written, as traceparent has it; empty: nobody traces
}

// IsAboutFile says that a row of table file speaks against carrying it out.
func (s *Tombstone) IsAboutFile() bool { return s.Kind != Collection && s.Kind != Points }

// Entry is a line of the ledger: one file that was deleted, and why.
type Entry struct {
	FileID  string    `json:"file_id"`
	Path    string    `json:"path"`
	Outcome string    `json:"outcome"`
	EventID string    `json:"event_id"`
	Source  string    `json:"source"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
	Note    string    `json:"note,omitempty"` // what happened to it outside the transaction, where that was remarkable
}

// FileInfo is what the row of a file says of it.
type FileInfo struct {
	Path   string
	Status string // of its processing; empty where the application keeps none
	Age    time.Duration
}

// Mention is one reference, as precisely as it can be told.
type Mention struct {
	Table  string `json:"table"`
	Row    string `json:"row"`
	Column string `json:"column"`
	Path   string `json:"path"` // within JSON; empty elsewhere
	// Title and Owner are those of the chat that the row is, or belongs to.
	Title string `json:"title,omitempty"`
	Owner string `json:"owner,omitempty"` // id of a user
	// Cites: it only cites the file; the path leads below a key named sources.
	Cites bool `json:"cites,omitempty"`
	// Departed: nobody can open the row any more, since its user is gone (openwebui.Owned).
	Departed bool `json:"departed,omitempty"`
}
