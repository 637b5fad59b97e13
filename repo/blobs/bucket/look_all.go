package bucket

import (
	"context"
	"strings"
	"sync"

	"pruned/repo/openwebui"
)

// A page of a listing has a thousand objects, and costs about as much as ten looks at one.
const (
	listedPerLook = 100
	minSeek       = 10 // fewer are looked at one by one
	minOrdered    = 20 // objects in order, before it is believed that none comes later
)

// lookAtAll looks at objects, whose keys are in order: in a listing for as long as they lie
// close to each other there, else one by one. It leaves out those that are not there.
func (s *Store) lookAtAll(ctx context.Context, keys []string) (map[string]Object, error) {
	ordered, alone := splitKeys(keys, s.isOrdered)
	found := map[string]Object{}
	if client, does := s.Client.(Seeker); does && len(ordered) >= minSeek {
		rest, err := s.seek(ctx, client, ordered, found)
		if err != nil {
			return nil, err
		}
		ordered = rest
	}
	var mu sync.Mutex
	_, err := s.each(ctx, append(alone, ordered...), func(ctx context.Context, key string) error {
		o, there, err := s.Client.Stat(ctx, key)
		if there {
			mu.Lock()
			defer mu.Unlock()
			found[key] = o
		}
		return err
	})
	return found, err
}

// isOrdered says that servers agree on where a key lies in a listing: by the id, which it
// begins with. One that is not plain some list as another.
func (s *Store) isOrdered(key string) bool {
	name, is := strings.CutPrefix(key, s.prefix)
	return is && isPlain(key) && !strings.Contains(name, "/") && openwebui.ObjectFile(name) != ""
}

const idLength = 36

// seek puts what it finds of keys into found, and returns the keys of which it does not
// know whether they are there.
func (s *Store) seek(ctx context.Context, client Seeker, keys []string, found map[string]Object) (rest []string, err error) {
	idOf := func(key string) string { return key[:min(len(key), len(s.prefix)+idLength)] }
	wanted := make(map[string]bool, len(keys))
	for _, key := range keys {
		wanted[key] = true
	}
	all, listed, last := keys, 0, ""
	for o, err := range client.ListAfter(ctx, s.prefix, keys[0][:len(keys[0])-1]) {
		id := idOf(o.Key)
		switch {
		case err != nil:
			return nil, err
		case id < last: // this server has an order of its own
			clear(found)
			return all, nil
		}
		last = id
		for len(keys) > 0 && idOf(keys[0]) < id {
			keys = keys[1:]
		}
		if wanted[o.Key] {
			found[o.Key] = o
		}
		listed++
		if len(keys) == 0 && listed >= minOrdered || listed > listedPerLook*(len(all)-len(keys)+minSeek) {
			return keys, nil
		}
	}
	return nil, nil
}
