// Package vectors is the contract of a vector store, seen from the side that deletes
// files: which chunks belong to a file, and how they go.
//
// A file's chunks lie in its own collection, file-{id}, and, copied, in shared
// collections (one for each knowledge base), where their metadata names the file.
// What lies in another file's own collection is that file's, whatever its metadata
// says, and collections that are not named as Open WebUI names its own (see
// IsShared) are never touched. A store that lives in the same database takes part in
// the transaction that deletes the row (see Transactional); every other one is dealt
// with afterwards. The package knows nothing of the database side or the queue.
package vectors

import (
	"context"
	"errors"
	"iter"
)

// ErrUnusable marks a failure of the store itself, whichever files were asked
// for: it cannot be reached, or is not as the settings say. The caller
// waits, and blames no file. What a transaction answered is not marked: that is
// for its engine to judge.
var ErrUnusable = errors.New("the vector store cannot be used")

// Info is what a store says of itself. Of the zero value nothing is known: others may use
// the store, and only a person says that it is this installation's.
type Info struct {
	Name string // tells it from every other: approvals and holds are kept under it
	// InDatabase: it lies in the database of the rows, where other installations may
	// have schemas.
	InDatabase bool
	// Folder is the one that it lies in, alone; empty where it lies in none.
	// FolderOptional: the application makes it when it needs it.
	Folder         string
	FolderOptional bool
}

// Tx is the transaction that a store in the same database takes part in.
type Tx interface {
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
}

// Collection is where chunks of a file lie.
type Collection struct {
	Name   string `json:"collection"`
	Chunks int64  `json:"chunks"`
}

// File is a file that has chunks, in its own collection or in a shared one.
type File struct {
	ID     string
	Shared string // the collection, where it is a shared one
	Chunks int64  // zero where counting them costs more than listing
}

// Holding says that chunks of a file lie in a collection.
type Holding struct {
	FileID, Collection string
	CreatedBy          string // id of the user who made one of them; empty where that is not said
}

// Removed is what one call of Remove came to.
type Removed struct {
	Chunks int64 // that are gone, or asked to go
	// Waiting are the files of which chunks were asked to go that the store
	// itself has still to remove, when it gets round to it: ask again later.
	Waiting []string
}

// Store is a vector store. Removing what is not there succeeds. Chunks that
// another session holds are not waited for.
type Store interface {
	// Info says what the store is called and where it lies. It asks nobody.
	Info() Info

	// Remove removes every chunk of these files that is left, wherever it
	// lies, at a cost that may be a scan of the whole store: call it with many
	// files at once. ids may name one more than once. A Transactional store does it
	// inside tx; any other is given none. Files that an error leaves unnamed may have
	// lost chunks, or all of them.
	Remove(ctx context.Context, tx Tx, ids []string) (Removed, error)

	// Collections lists where chunks of one file lie, by name.
	Collections(ctx context.Context, id string) ([]Collection, error)

	// Files lists the files that have chunks, in their own collections and in each of the
	// shared ones, in any order; one may come more than once of a collection, each time with
	// other chunks. The sequence ends with its first error. It is bounded in memory.
	Files(ctx context.Context) iter.Seq2[File, error]

	// Holdings lists in which collections chunks of these files lie, each file and
	// collection once or more. Its cost may be a scan of the whole store.
	Holdings(ctx context.Context, ids []string) ([]Holding, error)

	// Strange lists up to MaxStrange collections that Open WebUI gives no such names
	// to (see IsKnown), by name.
	Strange(ctx context.Context) ([]string, error)

	// Check says whether the store can be used, in a sentence for an operator.
	Check(ctx context.Context) error

	Close()
}
