package leftover

import (
	"context"
	"maps"
	"slices"

	"pruned/vectors"
)

// Guard says which of these may go, as of now.
type Guard func(ctx context.Context, list []Leftover) (may []Leftover, err error)

// Remove removes them from a store: inside tx, or, without one, asking the guard right
// before each removal. It returns what the store has still to remove, or somebody holds.
func Remove(ctx context.Context, store vectors.CollectionStore, tx vectors.Tx, list []Leftover, guard Guard) (chunks int64, rest []Leftover, err error) {
	points := map[string][]string{}
	var whole []string
	for _, l := range list {
		if l.Point == "" {
			whole = append(whole, l.Collection)
			continue
		}
		points[l.Collection] = append(points[l.Collection], l.Point)
	}
	if len(whole) > 0 {
		removed, err := store.RemoveCollections(ctx, tx, whole, guard.of(func(name string) Leftover { return Leftover{Collection: name} }))
		chunks += removed.Chunks
		for _, name := range removed.Waiting {
			rest = append(rest, Leftover{Collection: name})
		}
		if err != nil {
			return chunks, rest, err
		}
	}
	for _, collection := range slices.Sorted(maps.Keys(points)) {
		at := func(id string) Leftover { return Leftover{collection, id} }
		removed, err := store.RemovePoints(ctx, tx, collection, points[collection], guard.of(at))
		chunks += removed.Chunks
		for _, id := range removed.Waiting {
			rest = append(rest, at(id))
		}
		if err != nil {
			return chunks, rest, err
		}
	}
	return chunks, rest, nil
}

// of is the guard as a store asks it: about what one name stands for.
func (g Guard) of(leftover func(string) Leftover) vectors.Guard {
	if g == nil {
		return vectors.AllowAll
	}
	return func(ctx context.Context, names []string) (may []string, err error) {
		list := make([]Leftover, len(names))
		for i, name := range names {
			list[i] = leftover(name)
		}
		allowed, err := g(ctx, list)
		for i, l := range list {
			if slices.Contains(allowed, l) {
				may = append(may, names[i])
			}
		}
		return may, err
	}
}
