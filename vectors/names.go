package vectors

import (
	"regexp"
	"strings"
)

// What Open WebUI calls collections (routers/files.py, routers/knowledge.py,
// routers/memories.py, routers/retrieval.py of 0.12.4). Every other name is somebody
// else's: plugins keep their own collections in the same store, with a file_id of
// their own.
const (
	ownPrefix = "file-"
	uuidName  = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	hashName  = `[0-9a-f]{63,64}` // a knowledge base of old, a web page, a pasted text

	// SharedNames matches the collections in which chunks of files lie beside those
	// of others. It means the same to Go and to PostgreSQL.
	SharedNames = `^(` + uuidName + `|` + hashName + `)$`
	// KnownNames matches every name that Open WebUI gives. An own collection of an
	// id that is no UUID is not among them: only the database knows such ids.
	KnownNames = `^(` + uuidName + `|` + hashName + `|` + ownPrefix + uuidName + `|user-memory-.+|web-search-.+|knowledge-bases)$`
)

// NameKey is the key that every chunk of a file has beside file_id, whichever way it
// was indexed (routers/retrieval.py). A chunk without it is not Open WebUI's.
const NameKey = "name"

// MaxStrange bounds what Store.Strange lists.
const MaxStrange = 100

var sharedNames, knownNames = regexp.MustCompile(SharedNames), regexp.MustCompile(KnownNames)

// IsShared says whether chunks of files lie in this collection beside those of others.
func IsShared(collection string) bool { return sharedNames.MatchString(collection) }

// IsKnown says whether Open WebUI gives such names.
func IsKnown(collection string) bool { return knownNames.MatchString(collection) }

// FileCollection is the name of the collection that holds only this file.
func FileCollection(id string) string { return ownPrefix + id }

// CollectionOwner is the file whose own collection this is.
func CollectionOwner(collection string) (id string, own bool) {
	return strings.CutPrefix(collection, ownPrefix)
}
