package vectors

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Removal is how a store outside the database removes what it finds of some subjects: files,
// collections or points. It believes nothing: what was found is deleted by its keys, not
// whatever fits by then, and looked for again.
type Removal[R any] struct {
	// Find finds some that are meant of these subjects, as of now; none where all are gone.
	Find func(ctx context.Context, subjects []string) ([]R, error)
	Key  func(R) string
	// Subject is what the guard knows one by.
	Subject func(R) string
	// Delete deletes by keys, of which there is one at least, and says how many went.
	Delete func(ctx context.Context, keys []string) (int64, error)
	// AtOnce is how many go by one request; where it is nil, all that were found.
	AtOnce func() int
	// Disobeyed is the error about a key that is there after it was deleted.
	Disobeyed func(key string) error
}

// Run removes until nothing is found that may go, and asks the guard right before each
// request.
func (r Removal[R]) Run(ctx context.Context, subjects []string, guard Guard, removed *Removed) error {
	for last := ""; len(subjects) > 0; {
		found, err := r.Find(ctx, subjects)
		if err != nil || len(found) == 0 {
			return err
		}
		if r.Key(found[0]) == last {
			return r.Disobeyed(last)
		}
		kept := map[string]bool{}
		if last, err = r.delete(ctx, found, kept, guard, removed); err != nil {
			return err
		}
		subjects = slices.DeleteFunc(slices.Clone(subjects), func(one string) bool { return kept[one] })
	}
	return nil
}

// delete deletes what was found, but for what is to be kept, to which it adds. It returns
// the first key that went.
func (r Removal[R]) delete(ctx context.Context, found []R, kept map[string]bool, guard Guard, removed *Removed) (first string, err error) {
	for len(found) > 0 {
		n := len(found)
		if r.AtOnce != nil {
			n = min(n, r.AtOnce())
		}
		keys, err := r.choose(ctx, found[:n], kept, guard)
		if err != nil {
			return "", err
		}
		if found = found[n:]; len(keys) == 0 {
			continue
		}
		chunks, err := r.Delete(ctx, keys)
		if removed.Chunks += chunks; err != nil {
			return "", err
		}
		if first == "" {
			first = keys[0]
		}
	}
	return first, nil
}

// choose lists the keys of what may go, as of now.
func (r Removal[R]) choose(ctx context.Context, found []R, kept map[string]bool, guard Guard) (keys []string, err error) {
	var asked []string
	for _, one := range found {
		asked = append(asked, r.Subject(one))
	}
	asked = Distinct(asked, func(one string) bool { return !kept[one] })
	if len(asked) == 0 {
		return nil, nil
	}
	may, err := guard(ctx, asked)
	if err != nil {
		return nil, err
	}
	allowed := Set(may)
	for _, one := range asked {
		kept[one] = !allowed[one]
	}
	for _, one := range found {
		if !kept[r.Subject(one)] {
			keys = append(keys, r.Key(one))
		}
	}
	return keys, nil
}

// RemoveFromEach removes from several places, from some of them at one time. The guard is
// asked by one after the other.
func RemoveFromEach[P any](ctx context.Context, places []P, atOnce int, guard Guard, removed *Removed, remove func(context.Context, P, Guard, *Removed) error) error {
	var asks, adds sync.Mutex
	oneByOne := func(ctx context.Context, ids []string) ([]string, error) {
		asks.Lock()
		defer asks.Unlock()
		return guard(ctx, ids)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, place := range places {
		group.Go(func() error {
			var here Removed
			err := remove(ctx, place, oneByOne, &here)
			adds.Lock()
			defer adds.Unlock()
			removed.Chunks += here.Chunks
			return err
		})
	}
	return group.Wait()
}
