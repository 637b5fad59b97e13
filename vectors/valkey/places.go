package valkey

import (
	"context"
	"slices"
	"strings"

	"pruned/vectors/apart"
)

// keys are where all points lie: each says its collection.
type keys struct{ prefix string }

func (k keys) Name() string     { return k.prefix + "*" }
func (keys) Collection() string { return "" }
func (keys) HoldsFiles() bool   { return true }
func (keys) Takes(string) bool  { return true }
func (keys) Scanned()           {}

// index is of a collection, and stays when its keys are gone. It holds no points.
type index struct{ collection string }

func (i index) Name() string       { return i.collection }
func (i index) Collection() string { return i.collection }
func (index) HoldsFiles() bool     { return false }

const indexPrefix = "idx:"

// List lists the application's indexes beside the keys, which only a server with a module for
// searches can.
func (s *server) List(ctx context.Context) ([]apart.Place, error) {
	names, err := s.askTexts(ctx, "list the indexes", "FT._LIST")
	if err != nil {
		return nil, err
	}
	list := []apart.Place{keys{s.prefix}}
	for _, name := range names {
		if collection, ours := strings.CutPrefix(name, indexPrefix+s.prefix); ours && collection != "" {
			list = append(list, index{collection})
		}
	}
	return list, nil
}

// Count says that an index holds nothing.
func (s *server) Count(context.Context, apart.Place) (int64, error) { return 0, nil }

// Drop drops an index, as the application drops a collection: a running one finds nothing
// there, and makes it again when it writes.
func (s *server) Drop(ctx context.Context, one apart.Place) error {
	if _, is := one.(index); !is {
		return s.Unusable("is asked to drop what is no index")
	}
	name := indexPrefix + s.prefix + one.Collection()
	_, failure := s.ask(ctx, "drop index "+name, []any{"FT.DROPINDEX", name})
	if failure == nil {
		return nil
	}
	if now, err := s.List(ctx); err != nil || !slices.Contains(now, one) {
		return err // somebody else dropped it
	}
	return failure
}
