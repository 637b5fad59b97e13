package milvus_test

import (
	"regexp"
	"testing"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/milvus"
	"pruned/vectors/vectorstest"
)

var (
	takesTenant = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	takesName   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,244}$`)
)

// takes says whether the application can store a collection of that name, and, where each
// is one of the server's, whether the server's name tells which it is.
func (a *api) takes(collection string) bool {
	if a.Multitenancy {
		return takesTenant.MatchString(collection)
	}
	told, is := milvus.ToldBySingle(a.ServerName(collection))
	_, own := vectors.CollectionOwner(collection)
	known := own || vectors.IsKnown(collection)
	return takesName.MatchString(collection) && known == (is && told == collection)
}

// The suite, in both modes. The server's collections cost seconds each; on the engine a
// hundred that are loaded and dropped at a time cost minutes.
func TestSuite(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, server *testenv.Milvus) {
		for mode, multitenancy := range map[string]bool{"multitenancy": true, "single": false} {
			if multitenancy && !allStores {
				continue
			}
			t.Run(mode, func(t *testing.T) {
				t.Parallel()
				cases := make(chan bool, 20)
				if !multitenancy && allStores {
					cases = make(chan bool, 2)
				}
				vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
					cases <- true
					t.Cleanup(func() { <-cases })
					a := newDatabase(t, server.URL(), multitenancy)
					f := vectorstest.Fixture{Store: a.store(t), Insert: a.insert, Left: a.left, Drop: a.dropCollection, Takes: a.takes, Few: !multitenancy}
					if !multitenancy {
						f.Strange = a.ServerName
					}
					return f
				})
			})
		}
	})
}
