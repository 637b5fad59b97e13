package repo

import (
	"context"
	"errors"
	"time"
)

// Trash is the way back of rows of table file. What Delete puts there is the row alone:
// links that went along are not restored, since nothing mentions an orphan, and vectors are
// made again by the application. The bytes stay where they are until the entry ends.
//
// A restore and the removal of the same bytes never both succeed. Whoever removes bytes
// says so here first (Reaper.ClaimBytes), commits that, and then asks once more whether a
// row names them. A restore locks the tombstones and the entry of its file as that does,
// and refuses bytes that were claimed.
type Trash interface {
	// ListTrash lists what is in the trash, oldest first.
	ListTrash(ctx context.Context, filter TrashFilter) ([]Trashed, error)

	// LockTrash finds the entry of a file and keeps its bytes from being claimed until tx
	// ends; found is false without an error where there is none.
	LockTrash(ctx context.Context, tx Tx, id string) (entry Trashed, found bool, err error)

	// Restore writes the row of a locked entry as it was, takes it out of the trash, and
	// closes the tombstones of the file. The file is then unreferenced since never: its
	// grace starts anew. A row that has the id is ErrLivesAgain.
	Restore(ctx context.Context, tx Tx, id string) (Restored, error)

	// EmptyTrash forgets the entries of these files. Their bytes may go bytesDelay after the
	// row went.
	EmptyTrash(ctx context.Context, ids []string, bytesDelay time.Duration) error

	// SumTrash sums up what is in the trash.
	SumTrash(ctx context.Context) (TrashSum, error)
}

// ErrLivesAgain says that a row has the id of a file that is in the trash.
var ErrLivesAgain = errors.New("a row has this id again")

// TrashFilter is which entries are meant: those for which all of it holds. Its zero value
// is all of them.
type TrashFilter struct {
	IDs     []string
	EventID string    // by which they were deleted, as the ledger tells
	Since   time.Time // they were deleted then, or later
	Before  time.Time // they were deleted before
}

// Trashed is a row of table file in the trash.
type Trashed struct {
	FileID   string    `json:"file_id"`
	Path     string    `json:"path"`
	Filename string    `json:"filename"`
	Owner    string    `json:"owner"` // id of a user
	Size     int64     `json:"size"`  // of its bytes, as far as the row told
	At       time.Time `json:"at"`    // when it was deleted
	Until    time.Time `json:"until"` // when it ends, and its bytes may go
	// BytesGone: they were claimed, by a tombstone of a file that shares them.
	BytesGone bool `json:"bytes_gone"`
}

// Restored is what a row that came back is not as it was.
type Restored struct {
	Dropped []string `json:"dropped,omitempty"` // columns that it had and table file has no more
	Added   []string `json:"added,omitempty"`   // columns that it did not have, which take their defaults
}

// TrashSum is how much the trash holds.
type TrashSum struct {
	Files  int64
	Bytes  int64         // that are kept for it, as far as the rows told
	Oldest time.Duration // since the first of them was deleted
}
