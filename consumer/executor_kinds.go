package consumer

import (
	"context"
	"errors"

	"pruned/repo"
)

// dropLiving takes out tombstones whose file exists, or whose bytes a row uses.
func (x *Executor) dropLiving(ctx context.Context, tx repo.Tx, due []repo.Tombstone) (rest []repo.Tombstone, c carried, err error) {
	living, err := x.DB.Living(ctx, tx, due)
	if err != nil {
		return nil, c, err
	}
	for _, t := range due {
		if !living[t.Seq] {
			rest = append(rest, t)
			continue
		}
		c.done = append(c.done, t.Seq)
		c.notes = append(c.notes, note{t.FileID, t.Kind + " kept: a row has this id or uses them"})
		x.Log.Warn().Str("file", t.FileID).Str("kind", t.Kind).Str("name", t.Name).
			Msg("a tombstone is dropped: a row has this id or uses these bytes")
	}
	return rest, c, nil
}

// removeVectors asks the store once for all. Files that wait for the store are
// looked at again.
func (x *Executor) removeVectors(ctx context.Context, tx repo.Tx, due []repo.Tombstone) (c carried, err error) {
	ids := make([]string, len(due))
	for i, t := range due {
		ids[i] = t.FileID
	}
	removed, err := x.Vectors.Remove(ctx, tx, ids)
	if err != nil {
		return c, storeError(ctx, err)
	}
	waiting := make(map[string]bool, len(removed.Waiting))
	for _, id := range removed.Waiting {
		waiting[id] = true
	}
	for _, t := range due {
		if waiting[t.FileID] {
			c.later = append(c.later, later{t, doubled(t, maxWaiting), "the vector store has still to carry it out"})
		} else {
			c.done = append(c.done, t.Seq)
		}
	}
	x.Log.Debug().Int("files", len(ids)).Int64("chunks", removed.Chunks).Int("waiting", len(c.later)).Msg("looked for left-over vectors")
	return c, nil
}

// removeBytes removes each; one that fails is postponed and does not hold up
// the rest.
func (x *Executor) removeBytes(ctx context.Context, _ repo.Tx, due []repo.Tombstone) (c carried, err error) {
	for _, t := range due {
		if err := ctx.Err(); err != nil {
			return c, &repo.Error{Kind: repo.Passing, Doing: "remove bytes", Err: err}
		}
		switch err := x.Blobs.Remove(ctx, t.Name); {
		case err == nil:
			c.done = append(c.done, t.Seq)
		case errors.Is(err, repo.ErrOutside):
			x.Log.Warn().Err(err).Str("file", t.FileID).Msg("the bytes of a deleted file are left alone")
			c.notes = append(c.notes, note{t.FileID, "bytes left alone: " + err.Error()})
			c.done = append(c.done, t.Seq)
		case repo.KindOf(err) == repo.Environment: // the store is away: no tombstone's fault
			return c, err
		default:
			c.later = append(c.later, x.failed(t, err))
		}
	}
	return c, nil
}
