package chroma

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"pruned/vectors"
)

// EmbeddedOptions say where the application's own Chroma keeps its files.
type EmbeddedOptions struct {
	Dir      string // {DATA_DIR}/vector_db
	Tenant   string // default_tenant if empty
	Database string // default_database if empty
}

// Embedded is the folder of a Chroma that runs inside the application, or
// would. It is worked on beside it, by SQL:
//
// A whole collection, a file's own or another, goes in steps, each a short transaction. The first
// takes its row out of table collections, which is where Chroma looks whenever
// it is asked for one, by name or by id: from then on it answers that there is
// none. The collection's segments stay and are marked, so that whoever comes
// next goes on where a crash ended: rows in pieces, then the folder with the
// vectors, what waits in the queue, and the segments last. Every state in
// between is one that Chroma starts from, and in which a collection of the same
// name can be made again.
//
// A chunk in a collection that stays is never deleted by us: the index of vectors
// would keep it, and half of the hits would be ghosts. A request to delete it is
// put into Chroma's own queue, once, and the file, or the point, waits.
//
// The file does not become smaller: SQLite fills the room again.
type Embedded struct {
	options  EmbeddedOptions
	patience time.Duration // for Chroma's own transactions
	removed  atomic.Bool   // something, since it was opened

	// Others in tests.
	clock  func() time.Time
	seen   func() // folders were seen, and their segments were not yet read
	remove func(root *os.Root, name string) error
}

var (
	_ vectors.Guarded         = (*Embedded)(nil)
	_ vectors.CollectionStore = (*Embedded)(nil)
	_ vectors.FolderKeeper    = (*Embedded)(nil)
	_ vectors.RowKeeper       = (*Embedded)(nil)
)

// Open makes a store. It opens nothing: files are opened for each piece of work,
// since the application may make them anew at any time. Without them the store
// is empty.
func Open(_ context.Context, options EmbeddedOptions) (*Embedded, error) {
	if options.Dir == "" {
		return nil, errors.New("no folder is set for the embedded Chroma")
	}
	options.Tenant = cmp.Or(options.Tenant, defaultTenant)
	options.Database = cmp.Or(options.Database, defaultDatabase)
	return &Embedded{options: options, patience: busyPatience, clock: time.Now, seen: func() {}, remove: (*os.Root).RemoveAll}, nil
}

// closeTimeout bounds what is done at the end.
const closeTimeout = 10 * time.Second

// Close has nothing to close. After a removal it empties the write-ahead log, if there is
// one: that holds pages as they were before, until Chroma writes over them. It waits for
// nobody.
func (e *Embedded) Close() {
	if !e.removed.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	// Where that fails Chroma empties the log in its own time.
	_ = e.withSession(ctx, "empty the log of the embedded Chroma", func(s *session) error {
		_, err := s.conn.ExecContext(ctx, "PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(PASSIVE); PRAGMA wal_checkpoint(TRUNCATE)")
		return err
	})
}

// Info says that it lies in a folder alone.
func (e *Embedded) Info() vectors.Info {
	return vectors.Info{Name: "chroma", Folder: e.options.Dir, FolderOptional: true}
}

// DatabaseFile is the path of the file that SQLite keeps, which need not be there.
func (e *Embedded) DatabaseFile() string { return filepath.Join(e.options.Dir, databaseFile) }

// Check opens the files and asks whether they may be written.
func (e *Embedded) Check(ctx context.Context) error {
	return e.withSession(ctx, "check the embedded Chroma", func(s *session) error {
		if err := s.checkFolder(); err != nil {
			return err
		}
		_, err := s.inTx(ctx, func(tx *transaction) error {
			return tx.exec("DELETE FROM segment_metadata WHERE false")
		})
		return err
	})
}

const busyPatience = 10 * time.Second
