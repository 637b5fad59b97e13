// Package chroma is the vector store Chroma: a server that is spoken to over
// HTTP, or the files that the application's own Chroma keeps in its data
// folder.
//
// Its central idea is that Chroma is nobody's transaction: nothing is touched
// before the commit, everything is a tombstone's work afterwards, in small
// steps, each of which leaves a store that a running Chroma answers from as
// before. A file's own collection is dropped whole; its chunks in a shared one, and
// all points of a collection that stays, are only ever removed by Chroma itself,
// since no one else can take them out of its index of vectors: over HTTP at once,
// embedded when it next writes to that collection or starts. Until then they wait.
//
// The package knows nothing of table file, of references, or of the queue.
// Facts about Chroma were seen on chromadb 1.5.9; what the application does
// with it, in open_webui/retrieval/vector/dbs/chroma.py of Open WebUI 0.12.4.
package chroma

import (
	"fmt"

	"pruned/vectors"
)

// ownPrefix begins the names of collections that hold one file.
const ownPrefix = "file-"

// fileKey is the key of a chunk's metadata that names its file.
const fileKey = "file_id"

// hashKey is the key that holds the hash of the text that its file was indexed from.
const hashKey = "hash"

// makerKey is the key that names the user who made the file.
const makerKey = "created_by"

// What Chroma calls the place where everybody's collections are.
const (
	defaultTenant   = "default_tenant"
	defaultDatabase = "default_database"
)

// unusable is an error of the store itself, whichever files were asked for.
func unusable(format string, args ...any) error {
	return fmt.Errorf("%w: %w", vectors.ErrUnusable, fmt.Errorf(format, args...))
}
