package vectors

import (
	"fmt"
	"regexp"
	"slices"
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

	sharedPattern = `^(` + uuidName + `|` + hashName + `)$`
	knownPattern  = `^(` + uuidName + `|` + hashName + `|` + ownPrefix + uuidName + `|` + memoryPrefix + `.+|` + searchPrefix + `.+|` + KnowledgeNames + `)$`
)

// NameKey is the key that every chunk of a file has beside file_id, whichever way it
// was indexed (routers/retrieval.py). A chunk without it is not Open WebUI's.
const NameKey = "name"

// MaxStrange bounds what Store.Strange lists.
const MaxStrange = 100

const (
	memoryPrefix = "user-memory-"
	searchPrefix = "web-search-"
	// KnowledgeNames is the collection with a point for each knowledge base, by which the
	// application searches for them.
	KnowledgeNames = "knowledge-bases"
)

var sharedNames, knownNames = regexp.MustCompile(sharedPattern), regexp.MustCompile(knownPattern)

// IsShared says whether chunks of files lie in this collection beside those of others.
// Stores have conditions of their own that mean the same.
func IsShared(collection string) bool { return sharedNames.MatchString(collection) }

// IsDigest says whether a collection is called by the digest of what is in it, as web pages
// and pasted texts are, and files and knowledge bases of older versions.
func IsDigest(collection string) bool {
	return IsShared(collection) && !strings.Contains(collection, "-")
}

// IsKnowledge says whether a collection is called as those of knowledge bases are: by the id
// of its row.
func IsKnowledge(collection string) bool { return IsShared(collection) && !IsDigest(collection) }

// IsKnown says whether Open WebUI gives such names.
func IsKnown(collection string) bool { return knownNames.MatchString(collection) }

// FileCollection is the name of the collection that holds only this file.
func FileCollection(id string) string { return ownPrefix + id }

// FileCollections are the names of these files' own collections.
func FileCollections(ids []string) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = FileCollection(id)
	}
	return names
}

// CollectionOwner is the file whose own collection this is.
func CollectionOwner(collection string) (id string, own bool) {
	return strings.CutPrefix(collection, ownPrefix)
}

// LivesByMention says whether a collection is in use as long as anything mentions its
// name: a knowledge base's own row does, and a chat that searched the web or holds a page.
func LivesByMention(collection string) bool {
	return IsShared(collection) || len(collection) > len(searchPrefix) && strings.HasPrefix(collection, searchPrefix)
}

// MemoryOwner is the user whose memories lie in a collection: it is in use as long as the
// user's row is there.
func MemoryOwner(collection string) (user string, is bool) {
	user, is = strings.CutPrefix(collection, memoryPrefix)
	return user, is && user != ""
}

// PointTable is the table that has a row for each point of a collection, by its id; empty
// where the points of a collection have no rows.
func PointTable(collection string) string {
	if _, is := MemoryOwner(collection); is {
		return "memory"
	}
	if collection == KnowledgeNames {
		return "knowledge"
	}
	return ""
}

// IsListed says whether a CollectionStore lists a collection: one that Open WebUI gives
// such names, and no file's own.
func IsListed(collection string) bool {
	_, own := CollectionOwner(collection)
	return !own && IsKnown(collection)
}

// CheckListed refuses every other collection, so that no mistake of a caller reaches a
// plugin's, or goes round the looks for files.
func CheckListed(collections ...string) error {
	for _, name := range collections {
		if !IsListed(name) {
			return fmt.Errorf("collection %q is left alone: it is a file's own, or Open WebUI gives no such name", name)
		}
	}
	return nil
}

// CheckKnowledge refuses every collection that is not a knowledge base's.
func CheckKnowledge(collections []string) error {
	for _, name := range collections {
		if !IsKnowledge(name) {
			return fmt.Errorf("collection %q is no knowledge base's: nothing is known of the files in it", name)
		}
	}
	return nil
}

// CheckWhole refuses collections that are never removed whole.
func CheckWhole(collections []string) error {
	if slices.Contains(collections, KnowledgeNames) {
		return fmt.Errorf("collection %q is never removed whole: it has a point for each knowledge base", KnowledgeNames)
	}
	return CheckListed(collections...)
}
