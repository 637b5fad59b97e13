package pinecone_test

import (
	"strings"
	"testing"

	"pruned/vectors/vectorstest"
)

// takesID: an id has signs of ASCII alone.
func takesID(id string) bool {
	return id != "" && len(id) <= 512 && !strings.ContainsFunc(id, func(r rune) bool { return r > 127 || r == 0 })
}

func TestSuite(t *testing.T) {
	t.Parallel()
	vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
		s := newService(t)
		return vectorstest.Fixture{Store: s.store(t), Insert: s.insert, Left: s.left, Drop: s.drop, TakesID: takesID}
	})
}

// The same where queries show for a while what was deleted.
func TestSuiteThatIsLate(t *testing.T) {
	t.Parallel()
	vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
		s := newService(t)
		s.late = 2
		return vectorstest.Fixture{Store: s.store(t), Insert: s.insert, Left: s.left, Drop: s.drop, TakesID: takesID}
	})
}

// A service that ends in the midst of a set is the store's failure; the next time the rest
// goes.
func TestServiceKilledInASet(t *testing.T) {
	t.Parallel()
	s := newService(t)
	vectorstest.SurviveKill(t, vectorstest.Fixture{Store: s.store(t), Insert: s.insert, Left: s.left}, s.kill, s.restart)
}
