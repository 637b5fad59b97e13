package repo

import "context"

// Ownership is what a database knows of whose things in a store are. That an id has
// no row here is no sign that it is this installation's: stores are shared, copied,
// and mistaken.
type Ownership interface {
	Approvals

	// FindRowless says which of these ids no row of table file has, and whether one had, as
	// far as the ledger knows.
	FindRowless(ctx context.Context, tx Tx, ids []string) (had map[string]bool, err error)

	// FindUnknownUsers says which of these users this database never had: they are in no
	// row of table user, and made no file of table file.
	FindUnknownUsers(ctx context.Context, tx Tx, users []string) ([]string, error)

	// ListNeighbours names other installations in the same database: schemas that have
	// tables file and alembic_version.
	ListNeighbours(ctx context.Context, tx Tx) ([]string, error)

	// ApproveStore says that a store is this installation's, in spite of the signs that were
	// accepted with it; RevokeStore takes that back.
	ApproveStore(ctx context.Context, tx Tx, store, accepted string) error
	RevokeStore(ctx context.Context, tx Tx, store string) error
}

// Approvals say of which stores it is known that they are this installation's.
type Approvals interface {
	// Identity tells this installation from every other.
	Identity() Identity

	// StoreApproval says whether that was said, and in spite of which signs.
	StoreApproval(ctx context.Context, tx Tx, store string) (accepted string, bound bool, err error)
}

// FewLinks is how many files without a link are no sign that links were lost: a small
// installation, or chats that were made by other programs.
const FewLinks = 3

// Links is what a database knows of the tables that link files to what they are in.
type Links interface {
	// EmptyLinks names the link tables that have not a single row though something
	// says that they had: knowledge_file beside knowledge bases, chat_file beside chats
	// that hold more than a few files.
	EmptyLinks(ctx context.Context, tx Tx) ([]string, error)

	// LinkedFiles counts the files of those of these knowledge bases that exist.
	LinkedFiles(ctx context.Context, tx Tx, knowledge []string) (map[string]int64, error)
}
