package apart

import (
	"context"
	"slices"
	"time"

	"pruned/vectors"
)

// Late is a server that may show what it deleted for so long.
type Late interface{ Freshness() time.Duration }

// firstPause is until it is looked again whether that is shown.
const firstPause = 100 * time.Millisecond

// outlast has a removal look again as long as nothing is shown but what is gone: that may hide
// what is left.
func outlast(removal *vectors.Removal[Point], freshness time.Duration) {
	gone := map[string]bool{}
	find, remove := removal.Find, removal.Delete
	removal.Delete = func(ctx context.Context, keys []string) (int64, error) {
		n, err := remove(ctx, keys)
		for _, key := range keys {
			gone[key] = gone[key] || err == nil
		}
		return n, err
	}
	removal.Find = func(ctx context.Context, subjects []string) ([]Point, error) {
		for until, pause := time.Now().Add(freshness), firstPause; ; pause *= 2 {
			found, err := find(ctx, subjects)
			if err != nil || len(found) == 0 {
				return nil, err
			}
			shown := found[0].key()
			found = slices.DeleteFunc(found, func(p Point) bool { return gone[p.key()] })
			if len(found) > 0 {
				return found, nil
			}
			if !time.Now().Before(until) {
				return nil, removal.Disobeyed(shown)
			}
			if err := vectors.Wait(ctx, pause); err != nil {
				return nil, err
			}
		}
	}
}
