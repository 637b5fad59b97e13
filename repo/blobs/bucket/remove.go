package bucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"pruned/repo"
)

var errStillThere = errors.New("the server said that it removed the object, and still has it")

// Remove removes each with a request of its own, several at once: servers read a list of
// keys differently from the keys, and answer by keys that were not asked for.
func (s *Store) Remove(ctx context.Context, names []string) (failed map[string]error, err error) {
	failed = map[string]error{}
	if err := s.checkOpen("remove objects"); err != nil {
		return failed, err
	}
	// Nothing is found either in a bucket that is not there.
	checkBucket := sync.OnceValue(func() error { return s.Client.CheckBucket(ctx) })
	var mu sync.Mutex
	group, removing := errgroup.WithContext(ctx)
	group.SetLimit(requests)
	for _, name := range names {
		group.Go(func() error {
			err := s.removeOne(removing, name, checkBucket)
			if err == nil || repo.KindOf(err) != repo.Permanent {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			failed[name] = err
			return nil
		})
	}
	return failed, group.Wait()
}

func (s *Store) removeOne(ctx context.Context, name string, checkBucket func() error) error {
	if err := checkKey(name); err != nil {
		return err
	}
	if err := s.removeObject(ctx, name, checkBucket); err != nil {
		if errors.Is(err, ErrRefused) || errors.Is(err, errStillThere) {
			return fmt.Errorf("remove object %q: %w", name, err)
		}
		return s.fail(ctx, "remove an object", err)
	}
	base := s.copyOfKey(name)
	if s.Copies == nil || base == "" {
		return nil
	}
	err := s.removeCopy(ctx, base)
	if errors.Is(err, repo.ErrOutside) {
		return nil // no folder has a file of that name
	}
	return err
}

func (s *Store) removeObject(ctx context.Context, key string, checkBucket func() error) error {
	if err := s.Client.Remove(ctx, key); err != nil {
		return err
	}
	_, there, err := s.Client.Stat(ctx, key)
	if err == nil && there {
		err = errStillThere
	}
	if err == nil {
		err = checkBucket()
	}
	if versioned, has := s.Client.(Versioned); err == nil && has && s.Versions {
		err = versioned.RemoveVersions(ctx, key)
	}
	return err
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
