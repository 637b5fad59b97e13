package s3vector_test

import (
	"regexp"
	"testing"

	"pruned/vectors/vectorstest"
)

// takesName is what an index can be called: a digest of 64 signs, of pasted text, cannot.
var takesName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func takes(collection string) bool { return takesName.MatchString(collection) }

func fixtureOf(t *testing.T, a *api) vectorstest.Fixture {
	t.Helper()
	return vectorstest.Fixture{Store: a.store(t), Insert: a.insert, Left: a.left, Drop: a.drop, Takes: takes, TakesID: takesID, Few: true}
}

func TestSuiteOnMoto(t *testing.T) {
	t.Parallel()
	vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture { return fixtureOf(t, newMoto(t)) })
}

// The same in pages, which moto has not.
func TestSuiteInPages(t *testing.T) {
	t.Parallel()
	vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture { return fixtureOf(t, newPaged(t, 100, 3)) })
}

// A service that ends in the midst of a set is the store's failure; the next time the rest
// goes.
func TestServiceKilledInASet(t *testing.T) {
	t.Parallel()
	a, service := newMortal(t, 100, 3)
	vectorstest.SurviveKill(t, fixtureOf(t, a), service.kill, service.restart)
}
