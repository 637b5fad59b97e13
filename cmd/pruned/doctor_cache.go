package main

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"pruned/consumer/sweep"
)

// cacheFindings tells what lies in the application's cache, and what the next sweep takes
// of it.
func cacheFindings(ctx context.Context, c *command, a *app) []finding {
	f := finding{Check: "cache", OK: true}
	age := c.cli.Ages.Cache
	old, err := openCache(c.cli.Storage.DataDir).CountOld(ctx, age)
	switch {
	case err != nil:
		f.OK, f.Detail = false, err.Error()
	case age == 0:
		f.Detail = fmt.Sprintf("%s take %s: PRUNED_CACHE_AGE is not set, and nothing removes them", sweep.FormatCount(old.Files, "files of speech and recordings"), humanize.IBytes(uint64(old.Bytes)))
	default:
		f.Detail = fmt.Sprintf("%s that nothing touched for %s take %s: sweeps remove them", sweep.FormatCount(old.Files, "files of speech and recordings"), shortDuration(age), humanize.IBytes(uint64(old.Bytes)))
		if a.blobs == nil {
			break // told above
		}
		if why := sweep.WhyCacheWaits(ctx, a.db, nil, a.blobs.Info()); why != "" {
			f.Detail += " once that may be done: " + why
			f.Remedy = "pruned sweep tells how"
		}
	}
	if old.Failed > 0 {
		f.Warn = age > 0
		f.Detail += fmt.Sprintf("; %d cannot be looked at: %s", old.Failed, old.Failure)
	}
	return []finding{f}
}
