package qdrant_test

import (
	"os"
	"regexp"
	"testing"

	"pruned/repo/testenv"
	"pruned/vectors/vectorstest"
)

// takesName is what a server takes for the name of a collection, after the prefix.
var takesName = regexp.MustCompile(`^[^<>:"/\\|?*\x00\x1f]{1,240}$`)

// The suite, in both modes. A collection of the server's takes a moment to make.
func TestSuite(t *testing.T) {
	t.Parallel()
	for mode, multitenancy := range map[string]bool{"multitenancy": true, "single": false} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			if !multitenancy && os.Getenv("PRUNED_TEST_STORES") != "all" {
				testenv.LeaveOut(t, "a collection of Qdrant's for each takes a while: make test-stores runs it")
			}
			vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
				a := newAPI(t, multitenancy)
				f := vectorstest.Fixture{Store: a.store(t), Insert: a.insert, Left: a.left, Drop: a.dropCollection, UUIDs: true, Few: !multitenancy}
				if !multitenancy {
					f.Takes, f.Strange = takesName.MatchString, a.serverName
				}
				return f
			})
		})
	}
}
