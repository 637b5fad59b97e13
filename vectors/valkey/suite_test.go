package valkey_test

import (
	"strings"
	"testing"

	"pruned/repo/testenv"
	"pruned/vectors/vectorstest"
)

// takes leaves out what RediSearch lists otherwise than it was made: a newline in a name.
func takes(collection string) bool { return !strings.Contains(collection, "\n") }

func takesID(id string) bool { return id != "" }

func TestSuite(t *testing.T) {
	t.Parallel()
	server := testenv.SharedValkey(t)
	vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
		a := newAPI(t, server)
		return vectorstest.Fixture{Store: a.store(t), Insert: a.insert, Left: a.left, Drop: a.drop, Takes: takes, TakesID: takesID, Few: true}
	})
}
