package repo

import (
	"context"
	"errors"
	"iter"
)

// Usage tells what files take of the database, and whose they are, for people. It reads in
// short statements, a page at a time, so that nobody waits for it: what is written
// meanwhile may be told or not.
type Usage interface {
	// MeasureDatabase tells what the database takes of the disk.
	MeasureDatabase(ctx context.Context) (DatabaseSize, error)

	// ListStored lists the rows of table file, in any order. The sequence ends with its
	// first error.
	ListStored(ctx context.Context) iter.Seq2[StoredFile, error]

	// ListKnowledgeFiles lists the rows of table file that are linked to a knowledge base,
	// once for each. Where the application has no such table that is ErrNoLinks.
	ListKnowledgeFiles(ctx context.Context) iter.Seq2[KnowledgeFile, error]

	// ListOwners lists all users, and all knowledge bases, in any order; none where the
	// application has no such table.
	ListOwners(ctx context.Context) (users, knowledge []Owner, err error)

	// FindFileUsers tells whose these files are. One without a row is not in the answer,
	// one of nobody's is with an empty text.
	FindFileUsers(ctx context.Context, ids []string) (map[string]string, error)
}

// ErrNoLinks says that the application has no table of the files in knowledge bases.
var ErrNoLinks = errors.New("this revision of Open WebUI has no table knowledge_file")

// DatabaseSize is what a database takes of the disk.
type DatabaseSize struct {
	Where string // for people
	Bytes int64  // of everything in it, with its log where that lies beside it
	// FileBytes is the part of table file, with its indexes and texts. NotMeasured says why
	// that was not asked, for people.
	FileBytes   int64
	NotMeasured string
}

// StoredFile is what the row of a file says of what it takes.
type StoredFile struct {
	ID     string
	UserID string // empty where the row names nobody
	Path   string // as the application wrote it; empty where it is NULL
	// Hash is that of the bytes, or of the text where the row does not have the first;
	// empty where it has neither.
	Hash      string
	TextBytes int64 // what was read out of the file takes that much, as it is stored
}

// KnowledgeFile is a file in a knowledge base.
type KnowledgeFile struct {
	KnowledgeID string
	StoredFile
}

// Owner is a user, or a knowledge base.
type Owner struct {
	ID     string
	Name   string // or the user's address where there is no name
	UserID string // whose knowledge base it is
}
