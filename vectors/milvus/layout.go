package milvus

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"pruned/vectors"
)

// collection is the name of one of the server's collections. Only layouts make one, from
// names that the server listed, so that none is empty and none somebody else's.
type collection struct{ name string }

// section is what one question reaches: the rows of a collection of the server's.
type section struct {
	collection collection
	// logical is the application's collection that all rows belong to; where it is empty,
	// each row says its own.
	logical string
	// tenants are the application's collections that are meant; none: all of them.
	tenants []string
}

// layout says where the application's collections lie.
type layout interface {
	fmt.Stringer
	// accepts says whether a collection of the server's is of this layout.
	accepts(name string) bool
	// logical is the application's collection that one of the server's holds alone.
	logical(name string) (string, bool)
	// locate are the sections that hold these collections of the application's.
	locate(names serverNames, wanted []string) []section
	// shared are the sections with chunks of several files.
	shared(names serverNames) []section
	// all are the sections with rows that say their own collections.
	all(names serverNames) []section
}

// serverNames are the names of the server's collections.
type serverNames map[string]bool

func (n serverNames) sorted() []string {
	list := make([]string, 0, len(n))
	for name := range n {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func layoutOf(options Options) layout {
	if options.Multitenancy {
		return tenancy{strings.ReplaceAll(options.Prefix, "-", "_")}
	}
	return single{}
}

// single is a collection of the server's for each of the application's.
type single struct{}

// singlePrefix is what the application's names begin with, whatever its settings say.
const singlePrefix = "open_webui_"

func (single) String() string { return "a collection each" }

// The server has no dashes, so the application writes each as an underscore. A name of
// which cannot be told what it was is not ours: of those that can, every dash belongs to a
// UUID or to the words of the application.
const (
	uuidPattern = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	wordPattern = `[0-9A-Za-z]+`
)

var tellable = regexp.MustCompile(`^((file-|user-memory-|web-search-)?(` + uuidPattern + `|` + wordPattern + `)|web-search-` + uuidPattern + `-` + wordPattern + `|knowledge-bases)$`)

func (single) logical(name string) (string, bool) {
	rest, ours := strings.CutPrefix(name, singlePrefix)
	logical := strings.ReplaceAll(rest, "_", "-")
	_, own := vectors.CollectionOwner(logical)
	return logical, ours && (own || vectors.IsKnown(logical)) && tellable.MatchString(logical)
}

func (l single) accepts(name string) bool {
	_, is := l.logical(name)
	return is
}

// locate finds no name that the application would not write so: one with an underscore of
// its own looks like another's.
func (l single) locate(names serverNames, wanted []string) (list []section) {
	for _, logical := range wanted {
		name := singlePrefix + strings.ReplaceAll(logical, "-", "_")
		if told, is := l.logical(name); is && told == logical && names[name] {
			list = append(list, section{collection: collection{name}, logical: logical})
		}
	}
	return list
}

func (l single) shared(names serverNames) (list []section) {
	for _, name := range names.sorted() {
		if logical, is := l.logical(name); is && vectors.IsShared(logical) {
			list = append(list, section{collection: collection{name}, logical: logical})
		}
	}
	return list
}

func (single) all(serverNames) []section { return nil }

// tenancy is five collections of the server's, whose rows say which of the application's
// they belong to. They are never dropped.
type tenancy struct{ prefix string }

func (l tenancy) String() string { return "multitenancy with prefix " + l.prefix }

// What the five are called, after the prefix.
const (
	filesShelf     = "_files"
	knowledgeShelf = "_knowledge"
	memoriesShelf  = "_memories"
	searchesShelf  = "_web_search"
	digestsShelf   = "_hash_based"
)

var shelves = []string{digestsShelf, filesShelf, knowledgeShelf, memoriesShelf, searchesShelf}

var shortDigest = regexp.MustCompile(`^[0-9a-fA-F]{63}$`)

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

func (l tenancy) accepts(name string) bool {
	shelf, ours := strings.CutPrefix(name, l.prefix)
	return ours && slices.Contains(shelves, shelf)
}

func (tenancy) logical(string) (string, bool) { return "", false }

// tenantsAtOnce bounds a question about several collections of the application's.
const tenantsAtOnce = 1000

func (l tenancy) locate(names serverNames, wanted []string) (list []section) {
	tenants := map[string][]string{}
	for _, logical := range wanted {
		tenants[shelfOf(logical)] = append(tenants[shelfOf(logical)], logical)
	}
	for _, one := range l.sections(names, shelves...) {
		for some := range slices.Chunk(tenants[strings.TrimPrefix(one.collection.name, l.prefix)], tenantsAtOnce) {
			one.tenants = some
			list = append(list, one)
		}
	}
	return list
}

func (l tenancy) shared(names serverNames) []section {
	return l.sections(names, digestsShelf, knowledgeShelf)
}

func (l tenancy) all(names serverNames) []section { return l.sections(names, shelves...) }

func (l tenancy) sections(names serverNames, wanted ...string) (list []section) {
	for _, shelf := range wanted {
		if name := l.prefix + shelf; names[name] {
			list = append(list, section{collection: collection{name}})
		}
	}
	return list
}
