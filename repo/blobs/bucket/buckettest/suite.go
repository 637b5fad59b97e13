package buckettest

import (
	"os"
	"strconv"
	"testing"

	"pruned/repo/blobs/blobstest"
)

// Server is what the cases must know of one.
type Server struct {
	Provider string
	// Prefix is one that the store has before all names; empty where it has none.
	Prefix string
	// Takes says whether the server can have an object of this name; nil where it takes any.
	Takes func(name string) bool
	// Forgets: what it kept is gone when it was killed.
	Forgets bool
	// WrongKeys are settings of somebody whom the server does not know, each in the place
	// of one that is right.
	WrongKeys map[string]string
	// IsPage says that a request is for a page of a listing.
	IsPage func(url string) bool
	// Pages is of how many objects a listing has more than one page; 0 where tests cannot
	// wait for so many.
	Pages int
	// Together: many go with one request.
	Together bool
	// Many is how many a long listing has; PRUNED_TEST_OBJECTS is another number for one case.
	Many int
}

// Run runs both suites.
func Run(t *testing.T, s Server) {
	t.Helper()
	t.Run("blobs", func(t *testing.T) {
		t.Parallel()
		blobstest.Run(t, func(t *testing.T) blobstest.Fixture {
			w := NewWorld(t, s.Provider, Options{})
			return blobstest.Fixture{Store: w.Store, Put: w.Put, Left: w.Keys, Takes: s.Takes, Many: s.Many}
		})
	})
	for name, run := range map[string]func(*testing.T, Server){
		"names as the application writes them": namesAsWritten,
		"a backslash may be listed as a slash": backslash,
		"copies go after their objects":        copiesGo,
		"nothing is gone that cannot be asked": nothingGone,
		"a server that is killed":              serverKilled,
		"half a listing":                       halfListing,
		"slow down":                            slowDown,
		"ages are by the server's clock":       serverClock,
		"many go together":                     manyGoTogether,
		"a removal that is not yet seen":       removalNotSeen,
		"objects come and go meanwhile":        manyWhileOthersWrite,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, s)
		})
	}
}

func (s Server) world(t *testing.T) *World {
	t.Helper()
	return NewWorld(t, s.Provider, Options{Prefix: s.Prefix})
}

// key is that of an object of this name.
func (s Server) key(name string) string {
	if s.Prefix == "" {
		return name
	}
	return s.Prefix + "/" + name
}

func (s Server) takes(name string) bool { return s.Takes == nil || s.Takes(name) }

// many is the number of objects of a long listing.
func (s Server) many() int {
	if n, err := strconv.Atoi(os.Getenv("PRUNED_TEST_OBJECTS")); err == nil {
		return n
	}
	return s.Many
}
