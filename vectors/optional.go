package vectors

import (
	"context"
	"iter"
	"time"
)

// Transactional is a store in the database of the rows, which takes part in its
// transactions.
type Transactional interface {
	Store
	// RemoveInTx removes, as part of tx, the chunks of these files that can be found
	// at a cost that depends on the files alone. The rows of some may be locked; where
	// there is none, nothing but the chunks themselves can be. rest tells that chunks
	// may be left, which Remove has to look for.
	RemoveInTx(ctx context.Context, tx Tx, ids []string) (chunks int64, rest bool, err error)
}

// Guard says which of these files, collections or points may go, as of now: a row, or a
// mention, may have come back since the removal was decided.
type Guard func(ctx context.Context, ids []string) (may []string, err error)

// Guarded is a store outside the database, whose removals take a while. It asks the
// guard right before each request that removes chunks, about the files that they
// belong to, or within the transaction that does. A file's own collection goes first,
// by a request of its own.
type Guarded interface {
	Store
	RemoveGuarded(ctx context.Context, ids []string, guard Guard) (Removed, error)
}

// CollectionStore is a store whose collections, and single points in them, can be listed
// and removed also where they hold nothing of files: memories, web searches, what is left
// of knowledge bases. Other collections than those it lists are refused by an error that
// names them (see CheckListed and CheckWhole).
type CollectionStore interface {
	Store
	// ListCollections lists the collections that Open WebUI gives such names to (see
	// IsKnown), but for files' own, in any order, each once. Chunks is zero where
	// counting costs more than listing. The sequence ends with its first error.
	ListCollections(ctx context.Context) iter.Seq2[Collection, error]

	// ListPoints lists the points in these collections, in any order, in bounded memory: a
	// store that can lists those of thousands of collections in a few questions. A
	// collection that is not there has none. The sequence ends with its first error.
	ListPoints(ctx context.Context, collections []string) iter.Seq2[Point, error]

	// ListChunks lists the chunks of these files, or of any where none is named, in the
	// collections of knowledge bases (see IsKnowledge), each once, in any order. The
	// sequence ends with its first error.
	ListChunks(ctx context.Context, knowledge, files []string) iter.Seq2[FileChunk, error]

	// RemoveCollections removes whole collections, by their names. What is not there is
	// removed. A Transactional store does it inside tx, and asks no guard; any other is
	// given no tx, and asks the guard about the names right before each request, or within
	// the transaction, that removes. Removed.Waiting are names.
	RemoveCollections(ctx context.Context, tx Tx, names []string, guard Guard) (Removed, error)

	// RemovePoints removes points of one collection, by their ids, in the same way: the
	// guard is asked about the ids, and Removed.Waiting are ids. The collection stays.
	RemovePoints(ctx context.Context, tx Tx, collection string, ids []string, guard Guard) (Removed, error)
}

// Point is one entry of a collection.
type Point struct{ Collection, ID string }

// FileChunk is a point that holds a piece of a file.
type FileChunk struct{ Collection, FileID, ID string }

// Indexer is a store that looks for the chunks of a file by an index of ours.
type Indexer interface {
	// Index makes it, without blocking the application; DropIndex removes it.
	Index(ctx context.Context) error
	DropIndex(ctx context.Context) error
}

// Encrypted is a store whose chunks may be encrypted with another key than the settings'.
type Encrypted interface {
	// Unreadable counts, among some encrypted chunks, those that do not decrypt.
	Unreadable(ctx context.Context) (n, of int64, err error)
}

// FolderKeeper is a store that has a folder for each collection, and leaves it behind
// when the application drops the collection.
type FolderKeeper interface {
	Store
	// Leftovers lists the folders that were left behind, by name. folders counts all
	// that are named as those of collections, whether or not they are in use.
	Leftovers(ctx context.Context) (list []Leftover, folders int64, err error)
	// RemoveLeftovers removes those of these folders that are left behind as of now, and
	// in which nothing was touched for minAge. It lists what it removed, and, with the
	// reason, what it could not remove.
	RemoveLeftovers(ctx context.Context, folders []string, minAge time.Duration) ([]Leftover, error)
}

// Measured is a store that knows what it takes of a disk, and counts the chunks of all its
// collections at less than a request for each.
type Measured interface {
	Store
	// CountChunks lists every collection with its chunks, whoever made it, each once, in
	// any order, in bounded memory. The sequence ends with its first error.
	CountChunks(ctx context.Context) iter.Seq2[Collection, error]
	// MeasureDisk tells what the store takes of the disk.
	MeasureDisk(ctx context.Context) (Disk, error)
}

// Disk is what a store takes of a disk.
type Disk struct {
	Where string // that chunks lie in, for people; empty where there is none yet
	Bytes int64  // that it takes, with what lies beside it for it
	// Folders are those with the indexes of vectors, whether or not they are in use.
	Folders, FolderBytes int64
}

// Leftover is a folder of a collection that was dropped.
type Leftover struct {
	Folder string
	Age    time.Duration // since it, or anything in it, was touched
	Bytes  int64         // that it takes of the disk
	Err    error         // why it cannot be looked into, or not be removed
}

// RowKeeper is a store whose tables keep rows that nothing can reach any more, and in its
// queue texts and vectors of chunks that are gone.
type RowKeeper interface {
	Store
	// CountLost counts such rows, those that are minAge old as far as they have an age.
	CountLost(ctx context.Context, minAge time.Duration) (Lost, error)
	// RemoveLost removes them, and what is gone from the queue, in short transactions
	// that look again. What it counts is done, also where it ends by an error.
	RemoveLost(ctx context.Context, minAge time.Duration) (Lost, error)
}

// Lost counts what a store keeps of what is gone.
type Lost struct {
	// Rows belong to no collection. A chunk is one, whatever it has in how many tables.
	Rows int64
	// Records of the queue were carried out, and still hold a text or a vector of a
	// chunk that is gone.
	Records int64
	// Chunks are the others: of some collection, or too young.
	Chunks int64
}

// AllowAll lets every file lose its chunks.
func AllowAll(_ context.Context, ids []string) ([]string, error) { return ids, nil }
