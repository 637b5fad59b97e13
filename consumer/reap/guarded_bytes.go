package reap

import (
	"context"
	"slices"

	"pruned/repo"
)

// bytesGuard is asked by a store of bytes about the objects of a set of tombstones.
type bytesGuard struct {
	reaper  *Reaper
	pending map[string][]repo.Tombstone // by name
	seen    map[string]repo.Blob
	kept    removal // what came back, or was written since
}

// removeGuardedBytes removes the objects of a set with few requests. What the store does
// before it fails is done again.
func (x *Reaper) removeGuardedBytes(ctx context.Context, store repo.GuardedBlobs, set []repo.Tombstone) (c removal, err error) {
	if err := ctx.Err(); err != nil {
		return c, &repo.Error{Kind: repo.Passing, Doing: "remove bytes", Err: err}
	}
	g := &bytesGuard{reaper: x, pending: map[string][]repo.Tombstone{}, seen: map[string]repo.Blob{}}
	var names []string
	for _, t := range set {
		if g.pending[t.Name] == nil {
			names = append(names, t.Name)
		}
		g.pending[t.Name] = append(g.pending[t.Name], t)
	}
	failed, err := store.RemoveGuarded(ctx, names, g.check)
	c = g.kept
	if err != nil {
		return c, err
	}
	for _, name := range names {
		for _, t := range g.pending[name] {
			c.addRemoval(x.settleObject(t, failed[name]))
		}
		if blob, there := g.seen[name]; there && failed[name] == nil && len(g.pending[name]) > 0 {
			c.removed.add(Removed{Objects: 1, Bytes: blob.Size})
		}
	}
	return c, nil
}

// check is a repo.BlobGuard. A name goes only if all may go that ask for it.
func (g *bytesGuard) check(ctx context.Context, names []string, there map[string]repo.Blob) (may []string, err error) {
	var ask []repo.Tombstone
	for _, name := range names {
		ask = append(ask, g.pending[name]...)
	}
	_, kept, err := g.reaper.recheckIDs(ctx, ask)
	if err != nil {
		return nil, err
	}
	g.kept.Add(kept)
	for _, name := range names {
		blob, is := there[name]
		asked := g.pending[name]
		g.pending[name] = slices.DeleteFunc(slices.Clone(asked), func(t repo.Tombstone) bool {
			written := is && isWrittenSince(t, blob)
			if came := slices.Contains(kept.Done, t.Seq); !came && written {
				g.kept.addRemoval(g.reaper.keepWritten(t))
			} else if !came {
				return false
			}
			return true
		})
		switch {
		case len(g.pending[name]) < len(asked):
			g.pending[name] = nil // the others wait for the next look
		case len(asked) > 0:
			may = append(may, name)
			if is {
				g.seen[name] = blob
			}
		}
	}
	return may, nil
}
