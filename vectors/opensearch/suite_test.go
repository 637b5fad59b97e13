package opensearch_test

import (
	"regexp"
	"testing"

	"pruned/repo/testenv"
	"pruned/vectors/vectorstest"
)

// takesName is what the application can store: a server takes no capitals, and few signs.
var takesName = regexp.MustCompile(`^[a-z0-9_$(){};'.=-]{1,244}$`)

func takes(collection string) bool { return takesName.MatchString(collection) }

func TestSuite(t *testing.T) {
	t.Parallel()
	testenv.NeedOpenSearch(t)
	vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
		a := newServer(t)
		return vectorstest.Fixture{Store: a.store(t), Insert: a.insert, Left: a.left, Drop: a.drop, Takes: takes, Strange: indexName, Few: true}
	})
}
