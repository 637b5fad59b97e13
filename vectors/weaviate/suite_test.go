package weaviate_test

import (
	"strings"
	"testing"

	"pruned/vectors"
	"pruned/vectors/vectorstest"
	"pruned/vectors/weaviate"
)

// takes says whether the server can have a collection of that name beside those of the
// application, and tells which it is. It has no two classes that differ in case alone.
func takes(collection string) bool {
	if odd.MatchString(strings.ReplaceAll(collection, "-", "")) {
		return false
	}
	told, is := weaviate.CollectionOf(className(collection))
	if is {
		return told == collection
	}
	_, own := vectors.CollectionOwner(collection)
	_, similar := weaviate.CollectionOf(className(strings.ToLower(collection)))
	return !own && !vectors.IsKnown(collection) && !similar
}

func TestSuite(t *testing.T) {
	t.Parallel()
	needServer(t)
	vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
		a := newServer(t)
		return vectorstest.Fixture{
			Store: a.store(t), Insert: a.insert, Left: a.left, Drop: a.drop, Takes: takes, Strange: className, UUIDs: true, Few: true,
		}
	})
}
