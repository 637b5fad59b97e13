package elasticsearch_test

import (
	"testing"

	"pruned/vectors/vectorstest"
)

// Each case has indexes of its own, with vectors of two sizes.
func TestSuite(t *testing.T) {
	t.Parallel()
	newAPI(t) // or all is left out at once
	vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
		a := newAPI(t)
		return vectorstest.Fixture{Store: a.store(t), Insert: a.insert, Left: a.left, Drop: a.drop}
	})
}
