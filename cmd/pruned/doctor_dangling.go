package main

import (
	"context"

	"pruned/repo"
)

// danglingFindings tells of rows that nothing in the application can reach, and whether
// sweeps remove them.
func danglingFindings(ctx context.Context, c *command, a *app) []finding {
	f := finding{Check: "dangling rows", OK: true, Detail: "there are none"}
	var counts, found []repo.DanglingCount
	err := a.db.InTx(ctx, nil, func(tx repo.Tx) (err error) {
		counts, err = a.db.CountDangling(ctx, tx)
		return err
	})
	for _, count := range counts {
		if count.Found > 0 {
			found = append(found, count)
		}
	}
	switch {
	case err != nil:
		f.OK, f.Detail = false, err.Error()
	case len(found) > 0 && c.cli.Database.RemovesDangling():
		f.Detail = "nothing in Open WebUI can reach " + shortCounts(found) + ": sweeps remove them"
	case len(found) > 0:
		f.Detail = "nothing in Open WebUI can reach " + shortCounts(found) + ": PRUNED_ROWS=keep keeps them"
	}
	return []finding{f}
}
