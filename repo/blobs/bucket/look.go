package bucket

import (
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/openwebui"
)

// requests are made at once.
const requests = 8

// fileOf is the id of the file whose object a key names. It may have slashes further on:
// some servers list a backslash as one.
func (s *Store) fileOf(key string) (id string) {
	name, is := strings.CutPrefix(key, s.prefix)
	if !is || checkKey(key) != nil {
		return ""
	}
	return openwebui.ObjectFile(name)
}

func (s *Store) blobOf(o Object) repo.Blob {
	return repo.Blob{Name: o.Key, Size: o.Size, Allocated: o.Size, Age: s.Clock.AgeOf(o.Modified)}
}

// Find asks for each id, several at once. A copy in the upload folder is called as its
// object, and goes with it; it is a blob of its own where there is none.
func (s *Store) Find(ctx context.Context, ids []string) (map[string][]repo.Blob, error) {
	if err := s.checkOpen("look for objects"); err != nil {
		return nil, err
	}
	found, copies := map[string][]repo.Blob{}, map[string][]repo.Blob{}
	var mu sync.Mutex
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(requests)
	for _, id := range ids {
		if !mention.IsUUID(mention.Token(id)) {
			continue
		}
		group.Go(func() error {
			blobs, err := s.findOne(asking, id)
			mu.Lock()
			defer mu.Unlock()
			if len(blobs) > 0 {
				found[id] = blobs
			}
			return err
		})
	}
	err := group.Wait()
	if err == nil && s.Copies != nil {
		copies, err = s.Copies.Find(ctx, ids)
	}
	if err != nil {
		return nil, s.fail(ctx, "look for objects", err)
	}
	for id, blobs := range copies {
		objects := found[id]
		for _, b := range blobs {
			b.Name = s.prefix + b.Name
			if !slices.ContainsFunc(objects, func(o repo.Blob) bool { return o.Name == b.Name }) {
				found[id] = append(found[id], b)
			}
		}
	}
	return found, nil
}

func (s *Store) findOne(ctx context.Context, id string) (blobs []repo.Blob, err error) {
	for o, err := range s.Client.List(ctx, s.prefix+id) {
		if err != nil {
			return nil, err
		}
		if s.fileOf(o.Key) == id {
			blobs = append(blobs, s.blobOf(o))
		}
	}
	return blobs, nil
}

// List lists the objects, and then the copies by the names of their objects: they take
// room of their own, and some have no object any more, which nobody can tell beside a
// listing of any length.
func (s *Store) List(ctx context.Context) iter.Seq2[repo.Listed, error] {
	return func(yield func(repo.Listed, error) bool) {
		err := s.checkOpen("list objects")
		if err == nil {
			var wanted bool
			if wanted, err = s.listObjects(ctx, yield); !wanted {
				return
			}
		}
		if err != nil {
			yield(repo.Listed{}, err)
			return
		}
		if s.Copies == nil {
			return
		}
		for one, err := range s.Copies.List(ctx) {
			one.Name = s.prefix + one.Name
			if !yield(one, err) {
				return
			}
		}
	}
}

func (s *Store) listObjects(ctx context.Context, yield func(repo.Listed, error) bool) (wanted bool, err error) {
	for o, err := range s.Client.List(ctx, s.prefix) {
		if err != nil {
			return true, s.fail(ctx, "list objects", err)
		}
		id := s.fileOf(o.Key)
		if id == "" {
			continue
		}
		b := s.blobOf(o)
		if !yield(repo.Listed{FileID: id, Name: b.Name, Size: b.Size, Allocated: b.Allocated, Age: b.Age}, nil) {
			return false, nil
		}
	}
	return true, nil
}

// Stat looks at an object. A copy is never taken for it: a read that failed leaves an
// empty one.
func (s *Store) Stat(ctx context.Context, name string) (blob repo.Blob, there bool, err error) {
	const doing = "look at an object"
	if err := s.checkOpen(doing); err != nil {
		return blob, false, err
	}
	if err := checkKey(name); err != nil {
		return blob, false, err
	}
	o, there, err := s.Client.Stat(ctx, name)
	if err == nil && !there {
		err = s.Client.CheckBucket(ctx) // a bucket that is gone looks the same
	}
	if err != nil || !there {
		return blob, false, s.fail(ctx, doing, err)
	}
	return s.blobOf(o), true, nil
}

// Open reads an object, and no copy either.
func (s *Store) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	const doing = "read an object"
	if err := s.checkOpen(doing); err != nil {
		return nil, err
	}
	if err := checkKey(name); err != nil {
		return nil, err
	}
	content, err := s.Client.Get(ctx, name)
	if err == nil && content == nil {
		err = s.Client.CheckBucket(ctx) // a bucket that is gone looks the same
	}
	return content, s.fail(ctx, doing, err)
}
