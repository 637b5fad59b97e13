package sweep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pruned/repo"
)

// Part is which of what is held is let go: what all of it means. Its zero value is
// everything. The rest stays held under the same id, however little it is.
type Part struct {
	Only      []repo.Direction // without any: all of them
	OlderThan time.Duration    // of an age as a sweep tells it
	Except    []string         // ids of files, or what else a direction is about
	// Shown is when what somebody decides about was shown, in each direction: what was
	// found since is not meant. Without a direction: whatever the last sweep showed.
	Shown map[repo.Direction]time.Time
}

// partlyConfirmed is the reason of a hold that has no other any more.
const partlyConfirmed = "some of it was let go, and the rest stays until it is confirmed as well"

// confirmChunk is how many candidates are let go by one statement.
const confirmChunk = 10000

// ErrNothingConfirmed: a part was meant in which nothing is.
var ErrNothingConfirmed = errors.New("nothing was let go")

// isWhole says whether directions are let go as a whole.
func (p Part) isWhole() bool { return p.OlderThan == 0 && len(p.Except) == 0 }

// wasShown says whether a candidate is one of what was shown.
func (p Part) wasShown(c repo.Candidate) bool {
	at, known := p.Shown[c.Direction]
	return !known || !c.Since.After(at)
}

// isOvertaken says whether there is more by now than what was shown.
func (w *run) isOvertaken(ctx context.Context) (more bool, err error) {
	for d := range w.options.Part.Shown {
		err := w.eachPage(ctx, d, func(page []repo.Candidate) error {
			more = more || slices.ContainsFunc(page, func(c repo.Candidate) bool { return !c.Confirmed && !w.options.Part.wasShown(c) })
			return nil
		})
		if err != nil {
			return more, err
		}
	}
	return more, nil
}

// confirmPart lets go the candidates that are meant. It refuses an exception that is not
// held: whoever mistyped it meant one that is.
func (w *run) confirmPart(ctx context.Context) error {
	holds, err := w.confirmedHolds(ctx)
	if err != nil {
		return err
	}
	if len(holds) == 0 {
		return &repo.Error{Kind: repo.Permanent, Doing: fmt.Sprintf("confirm %q", w.options.Confirm), Err: repo.ErrNoHold}
	}
	chosen, excepted, n := make([][]string, len(holds)), map[string]bool{}, 0
	for i, h := range holds {
		if chosen[i], err = w.chooseCandidates(ctx, h.Direction, excepted); err != nil {
			return err
		}
		n += len(chosen[i])
	}
	for _, id := range w.options.Part.Except {
		if !excepted[id] {
			return fmt.Errorf("%w: %q, which is to be excepted, is not among what is held under %s", ErrNothingConfirmed, id, w.options.Confirm)
		}
	}
	if n == 0 {
		return fmt.Errorf("%w: nothing that is held under %s is meant", ErrNothingConfirmed, w.options.Confirm)
	}
	return w.inTx(ctx, func(ctx context.Context, tx repo.Tx) error {
		for i, h := range holds {
			for ids := range slices.Chunk(chosen[i], confirmChunk) {
				if err := w.DB.ConfirmCandidates(ctx, tx, h, ids); err != nil {
					return err
				}
			}
		}
		return w.approveConfirmed(ctx, tx, holds)
	})
}

// chooseCandidates lists those of a direction that are meant, and notes the exceptions that
// it met.
func (w *run) chooseCandidates(ctx context.Context, d repo.Direction, excepted map[string]bool) (chosen []string, err error) {
	err = w.eachPage(ctx, d, func(page []repo.Candidate) error {
		for _, c := range page {
			switch {
			case slices.Contains(w.options.Part.Except, c.FileID):
				excepted[c.FileID] = true
			case c.Age >= w.options.Part.OlderThan && !c.Confirmed && w.options.Part.wasShown(c):
				chosen = append(chosen, c.FileID)
			}
		}
		return nil
	})
	return chosen, err
}
