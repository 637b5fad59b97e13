package sqlite

import (
	"context"
	"sync"
	"time"

	"pruned/repo/mention"
)

// sharedFor is how long the names of others are believed.
const sharedFor = 30 * time.Second

// sharedNames are the base names of paths that do not begin with the UUID of their own
// row: plugins share paths. To find them the whole table is read, and tombstones of
// bytes are looked at in small sets, right before each: the names are read again
// where rows came or went, and at least twice a minute.
type sharedNames struct {
	mu         sync.Mutex
	names      map[string]bool
	rows, last int64
	at         time.Time
}

func (s *sharedNames) of(ctx context.Context, q querier) (map[string]bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rows, last int64
	if _, err := one(ctx, q, `SELECT count(*), coalesce(max(rowid), 0) FROM file`, nil, &rows, &last); err != nil {
		return nil, translate(err, "count the files")
	}
	if s.names != nil && s.rows == rows && s.last == last && time.Since(s.at) < sharedFor {
		return s.names, nil
	}
	names, at := map[string]bool{}, time.Now()
	err := paths(ctx, q, func(id, name string) {
		if ownerOf(name) != mention.Token(id) {
			names[name] = true
		}
	})
	if err == nil {
		s.names, s.rows, s.last, s.at = names, rows, last, at
	}
	return names, err
}

// ownerOf is the UUID that a name begins with, or nothing.
func ownerOf(name string) string {
	const length = 36
	if len(name) >= length && mention.IsUUID(mention.Token(name[:length])) {
		return mention.Token(name[:length])
	}
	return ""
}
