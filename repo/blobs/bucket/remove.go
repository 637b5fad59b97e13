package bucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"pruned/repo"
)

var errStillThere = errors.New("the server said that it removed the object, and still has it")

const (
	firstSet, maxSet = 250, 1000
	// setTime is how long the requests may take that remove a set: for so long nobody asks
	// again whether its objects may go. Where the looks at a set take longer, as with a
	// server that is far or slow, it is as long as they do, up to maxSetTime: else most of
	// the time would go into looks.
	setTime, maxSetTime = 100 * time.Millisecond, 500 * time.Millisecond
)

// Remove is RemoveGuarded where all may go.
func (s *Store) Remove(ctx context.Context, names []string) (failed map[string]error, err error) {
	return s.RemoveGuarded(ctx, names, func(_ context.Context, names []string, _ map[string]repo.Blob) ([]string, error) { return names, nil })
}

// RemoveGuarded removes set by set: looks, asks the guard, removes, and looks again.
func (s *Store) RemoveGuarded(ctx context.Context, names []string, guard repo.BlobGuard) (failed map[string]error, err error) {
	failed = map[string]error{}
	if err := s.checkOpen("remove objects"); err != nil {
		return failed, err
	}
	var keys []string
	for _, name := range names {
		if err := checkKey(name); err != nil {
			failed[name] = err
		} else {
			keys = append(keys, name)
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	for len(keys) > 0 {
		set := keys[:min(len(keys), cmp.Or(int(s.setSize.Load()), firstSet))]
		stay, err := s.removeSet(ctx, set, guard)
		maps.Copy(failed, stay)
		if err != nil {
			return failed, s.fail(ctx, "remove objects", err)
		}
		keys = keys[len(set):]
	}
	return failed, nil
}

// removeSet returns why objects stay.
func (s *Store) removeSet(ctx context.Context, keys []string, guard repo.BlobGuard) (stay map[string]error, err error) {
	began := time.Now()
	before, err := s.lookAtAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	looks := 3 * time.Since(began) // this one, the one afterwards, and that at the bucket
	there := make(map[string]repo.Blob, len(before))
	for key, o := range before {
		there[key] = s.blobOf(o)
	}
	may, err := guard(ctx, keys, there)
	if err != nil || len(may) == 0 {
		return nil, err
	}
	if stay, err = s.removeObjects(ctx, may, before, looks); err != nil {
		return nil, err
	}
	gone := slices.DeleteFunc(may, func(key string) bool { return stay[key] != nil })
	more, err := s.removeRest(ctx, gone)
	maps.Copy(stay, more)
	return stay, err
}

// removeObjects removes those that were seen, and looks again at all, in a bucket that is
// there. looks is what looking at them takes.
func (s *Store) removeObjects(ctx context.Context, keys []string, seen map[string]Object, looks time.Duration) (stay map[string]error, err error) {
	asked := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { _, there := seen[key]; return !there })
	stay = map[string]error{}
	if len(asked) > 0 {
		began := time.Now()
		refused, err := s.askToRemove(ctx, asked)
		s.resize(len(asked), time.Since(began), min(max(setTime, looks), maxSetTime), err)
		if err != nil {
			return nil, err
		}
		left, err := s.lookAtAll(ctx, asked)
		if err != nil {
			return nil, err
		}
		for key := range left {
			stay[key] = fmt.Errorf("remove object %q: %w", key, cmp.Or(refused[key], errStillThere))
		}
	}
	// Nothing is found either in a bucket that is not there.
	return stay, s.Client.CheckBucket(ctx)
}

// resize has the next sets take about as long as wanted: also where this one took so long
// that the request failed by that.
func (s *Store) resize(n int, took, wanted time.Duration, failed error) {
	size := cmp.Or(int(s.setSize.Load()), firstSet)
	switch {
	case took > 2*wanted:
		s.setSize.Store(int64(max(size/2, 1)))
	case failed == nil && took < wanted && n >= size:
		s.setSize.Store(int64(min(2*size, maxSet)))
	}
}

// askToRemove sends those whose keys a list may hold together, and the others alone.
func (s *Store) askToRemove(ctx context.Context, keys []string) (refused map[string]error, err error) {
	refused = map[string]error{}
	alone := keys
	if client, does := s.Client.(Batched); does && len(keys) > 1 {
		var together []string
		together, alone = splitKeys(keys, isPlain)
		for batch := range slices.Chunk(together, client.MaxBatch()) {
			some, err := client.RemoveBatch(ctx, batch)
			if errors.Is(err, ErrBatchRefused) {
				alone = append(alone, batch...)
			} else if err != nil {
				return nil, err
			}
			maps.Copy(refused, some)
		}
	}
	some, err := s.each(ctx, alone, func(ctx context.Context, key string) error { return s.Client.Remove(ctx, key) })
	maps.Copy(refused, some)
	return refused, err
}

// isPlain says that every server reads a key in a list as it reads it alone, and answers by
// the same.
func isPlain(key string) bool {
	return !strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' || r == 0xfffe || r == 0xffff })
}

func splitKeys(keys []string, is func(string) bool) (are, others []string) {
	for _, key := range keys {
		if is(key) {
			are = append(are, key)
		} else {
			others = append(others, key)
		}
	}
	return are, others
}

// each does something with each key, several at once, and returns what concerns one alone.
func (s *Store) each(ctx context.Context, keys []string, do func(context.Context, string) error) (failed map[string]error, err error) {
	failed = map[string]error{}
	var mu sync.Mutex
	group, doing := errgroup.WithContext(ctx)
	group.SetLimit(requests)
	for _, key := range keys {
		group.Go(func() error {
			err := do(doing, key)
			if !errors.Is(err, ErrRefused) {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			failed[key] = err
			return nil
		})
	}
	return failed, group.Wait()
}

// removeRest removes what there is of objects that are gone: their versions, where that is
// wanted, and their copies.
func (s *Store) removeRest(ctx context.Context, keys []string) (stay map[string]error, err error) {
	stay = map[string]error{}
	if client, has := s.Client.(Versioned); has && s.Versions {
		if stay, err = s.each(ctx, keys, client.RemoveVersions); err != nil {
			return stay, err
		}
	}
	for _, key := range keys {
		base := s.copyOfKey(key)
		if s.Copies == nil || base == "" || stay[key] != nil {
			continue
		}
		switch err := s.removeCopy(ctx, base); {
		case err == nil || errors.Is(err, repo.ErrOutside): // no folder has a file of that name
		case repo.KindOf(err) == repo.Permanent:
			stay[key] = err
		default:
			return stay, err
		}
	}
	return stay, nil
}

// removeCopy removes a file of the upload folder, and again if a download that was under
// way has written it meanwhile.
func (s *Store) removeCopy(ctx context.Context, base string) error {
	for range 2 {
		failed, err := s.Copies.Remove(ctx, []string{base})
		if err = cmp.Or(err, failed[base]); err != nil {
			return err
		}
		if _, there, err := s.Copies.Stat(ctx, base); err != nil || !there {
			return err
		}
	}
	return nil // a sweep finds it
}
