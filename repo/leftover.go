package repo

import (
	"context"
	"time"
)

// KnowledgeLinks is the table with a row for each file in a knowledge base.
const KnowledgeLinks = "knowledge_file"

// Leftovers is what a database knows of collections and points: whether anything that they
// live by is there.
type Leftovers interface {
	// SetNames makes the reference index look for these names beside the ids of files: a
	// name is an id to FindReferences, RecheckReferences and ListReferences. Rows that were
	// read before may mention one that is new: it is unknown until IndexAll has read them
	// again. Of names that are not given any more nothing is known. A name of which no
	// search can tell (see mention.Searchable) stays unknown. No name becomes a candidate
	// among rows.
	SetNames(ctx context.Context, names []string) error

	// FindUnmentioned says which of these names no living row mentions, as of the last
	// pass. One that is unknown is not among them. It takes no lock.
	FindUnmentioned(ctx context.Context, tx Tx, names []string) ([]string, error)

	// FindMissingRows says which of these ids no row of the application's table has (user,
	// memory or knowledge), as of now. A table that is not there is an Environment error.
	// Of KnowledgeLinks an id is that of a knowledge base, a slash, and a file's. It is
	// missing only where the rows of both are there, that of the knowledge base does not
	// mention the file, and the table links others: else nothing is known of it.
	FindMissingRows(ctx context.Context, tx Tx, table string, ids []string) ([]string, error)

	// HasUsers says whether table user has a row: without one a backup is being restored,
	// and rows that are missing may come.
	HasUsers(ctx context.Context, tx Tx) (bool, error)

	// FindNamingFiles says which row of table file, which is not searched for names, gives
	// one of these as its collection (meta.collection_name): older versions of the
	// application kept chunks of files in collections of digests. It may be a scan.
	FindNamingFiles(ctx context.Context, tx Tx, names []string) (files map[string]string, err error)

	// ReadGrace says for how long these are known to be leftovers, by the database's clock:
	// the candidates of a direction. Others are not among the answer, nor is one that was
	// first seen in the future.
	ReadGrace(ctx context.Context, tx Tx, d Direction, ids []string) (map[string]time.Duration, error)
}
