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
	points := map[string]map[string]Leftover{} // by collection and id
	var whole []string
	var held []Leftover
	add := func(l Leftover, id string) {
		if points[l.Collection] == nil {
			points[l.Collection] = map[string]Leftover{}
		}
		points[l.Collection][id] = l
	}
	for _, l := range list {
		_, isHeld := l.HeldFile()
		switch {
		case l.Point == "":
			whole = append(whole, l.Collection)
		case isHeld:
			held = append(held, l)
		default:
			add(l, l.Point)
		}
	}
	if err := findChunks(ctx, store, held, add); err != nil {
		return 0, nil, err
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
		at := func(id string) Leftover { return points[collection][id] }
		removed, err := store.RemovePoints(ctx, tx, collection, slices.Sorted(maps.Keys(points[collection])), guard.of(at))
		chunks += removed.Chunks
		for _, id := range removed.Waiting {
			if l := at(id); !slices.Contains(rest, l) {
				rest = append(rest, l)
			}
		}
		if err != nil {
			return chunks, rest, err
		}
	}
	return chunks, rest, nil
}

// findChunks tells of the chunks that these are now. Of which there are others by now, or
// fewer, none is told.
func findChunks(ctx context.Context, store vectors.CollectionStore, held []Leftover, add func(Leftover, string)) error {
	if len(held) == 0 {
		return nil
	}
	var knowledge, files []string
	for _, l := range held {
		file, _ := l.HeldFile()
		knowledge, files = append(knowledge, l.Collection), append(files, file)
	}
	found, err := ListHeld(ctx, store, distinct(knowledge), distinct(files))
	for _, l := range held {
		for _, id := range found[l].IDs {
			add(l, id)
		}
	}
	return err
}

func distinct(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

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
