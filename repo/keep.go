package repo

import (
	"context"
	"time"
)

// Keeps are references of our own: files that somebody said are to stay. One that ended, by
// the database's clock, is none any more.
//
// KeepFile and a batch that may delete the file never both succeed: each locks the row of
// the file first (SQLite: everything), and looks afterwards. Whoever keeps waits for a
// batch; a batch that meets one who is about to keep finds the row busy. So that what a
// batch has locked can be kept by nobody until it ends, and RecheckReferences need not
// look for keeps.
type Keeps interface {
	// KeepFile keeps a file that has a row for so long, zero: for ever; kept is false without
	// an error where it has none. What was said of it before is replaced. With a tx that
	// holds locks the row must be locked by it.
	KeepFile(ctx context.Context, tx Tx, id string, lasts time.Duration, note string) (kept bool, err error)

	// ListKeeps lists what is kept now, oldest first: all of it, or of these files.
	ListKeeps(ctx context.Context, ids []string) ([]Keep, error)

	// RemoveKeep ends one; was is false where there was none.
	RemoveKeep(ctx context.Context, id string) (was bool, err error)
}

// Keep is a file that somebody keeps.
type Keep struct {
	FileID string     `json:"file_id"`
	Note   string     `json:"note"`
	At     time.Time  `json:"at"`
	Until  *time.Time `json:"until,omitempty"` // missing: for ever
}

// KeptByHand is the table of a reference that is a Keep.
const KeptByHand = "pruned.keep"
