package weaviate

import (
	"regexp"
	"strings"

	"pruned/vectors"
)

// The application makes the name of a class of a collection's: a dash becomes an underscore,
// what else is no letter or digit goes, so do underscores at the ends, "C" comes before what
// begins with no letter, and the first letter is a capital. Only of names with nothing but
// UUIDs, digests and the application's own words can be told what they were.
var tellable = regexp.MustCompile(`^((file-|user-memory-|web-search-)?` + uuidPattern + `|web-search-` + uuidPattern + `-[0-9a-f]+|[0-9a-f]{63,64}|` + vectors.KnowledgeNames + `)$`)

const uuidPattern = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`

// twoDigests is a name that a digest of 63 digits gets which begins with one from 0 to 9, and
// a digest of 64 that begins with a "c": nobody can tell which of them it is.
var twoDigests = regexp.MustCompile(`^C[0-9][0-9a-f]{62}$`)

// classOf is what the application calls the class of a tellable collection.
func classOf(collection string) string {
	name := strings.ReplaceAll(collection, "-", "_")
	if name[0] >= '0' && name[0] <= '9' {
		return "C" + name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// collectionOf is the collection that a class holds, where that can be told.
func collectionOf(class string) (string, bool) {
	if class == "" || twoDigests.MatchString(class) {
		return "", false
	}
	name := strings.ReplaceAll(class, "_", "-")
	for _, one := range []string{strings.ToLower(name[:1]) + name[1:], name[1:]} {
		if tellable.MatchString(one) && classOf(one) == class {
			return one, true
		}
	}
	return "", false
}
