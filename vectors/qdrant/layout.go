package qdrant

import (
	"net/url"
	"regexp"
	"strings"

	"pruned/vectors"
	"pruned/vectors/apart"
)

// collection is one of the server's. Only a layout makes one, of a name that the server listed,
// so that none is empty and none somebody else's.
type collection interface {
	apart.Place
	path(action string) string
}

// single holds one of the application's collections alone, or nobody can tell what.
type single struct{ name, logical string }

func (c single) Name() string       { return c.name }
func (c single) Collection() string { return c.logical }
func (c single) HoldsFiles() bool   { return true }

// path is of a request about the collection.
func (c single) path(action string) string {
	return "collections/" + url.PathEscape(c.name) + action
}

// shelf is one of the five of multitenancy, whose points say which of the application's
// collections they belong to.
type shelf struct {
	single
	kind string
}

// What the five are called, after the prefix.
const (
	filesShelf     = "files"
	knowledgeShelf = "knowledge"
	memoriesShelf  = "memories"
	searchesShelf  = "web-search"
	digestsShelf   = "hash-based"
)

var shelves = map[string]bool{filesShelf: true, knowledgeShelf: true, memoriesShelf: true, searchesShelf: true, digestsShelf: true}

func (s shelf) HoldsFiles() bool          { return s.kind == knowledgeShelf || s.kind == digestsShelf }
func (s shelf) Takes(logical string) bool { return shelfOf(logical) == s.kind }

var shortDigest = regexp.MustCompile(`^[0-9a-f]{63}$`)

// shelfOf is where the application puts a collection.
func shelfOf(logical string) string {
	switch {
	case strings.HasPrefix(logical, "user-memory-"):
		return memoriesShelf
	case strings.HasPrefix(logical, "file-"):
		return filesShelf
	case strings.HasPrefix(logical, "web-search-"):
		return searchesShelf
	case shortDigest.MatchString(logical):
		return digestsShelf
	default:
		return knowledgeShelf
	}
}

// layout says where the application's collections lie.
type layout struct {
	prefix       string
	multitenancy bool
}

func (l layout) String() string {
	if l.multitenancy {
		return "multitenancy with prefix " + l.prefix
	}
	return "a collection each with prefix " + l.prefix
}

// place is what one of the server's collections is. Without the prefix it is somebody else's.
func (l layout) place(name string) (_ collection, ours bool) {
	rest, ours := strings.CutPrefix(name, l.prefix+"_")
	one := single{name: name}
	if l.multitenancy && shelves[rest] {
		return shelf{one, rest}, ours
	}
	_, own := vectors.CollectionOwner(rest)
	if !l.multitenancy && (own || vectors.IsKnown(rest)) {
		one.logical = rest
	}
	return one, ours
}

// accepts says whether the application uses a collection of the server's.
func (l layout) accepts(name string) bool {
	one, ours := l.place(name)
	_, isShelf := one.(shelf)
	return ours && (isShelf || one.Collection() != "")
}
