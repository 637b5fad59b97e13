package sqlite

import (
	"context"
	"strings"
	"sync"
	"time"

	"pruned/repo/mention"
	"pruned/repo/openwebui"
)

// sharedNamesTTL is how long the names of others are believed.
const sharedNamesTTL = 30 * time.Second

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

func (s *sharedNames) upToDate(ctx context.Context, q querier) (map[string]bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rows, last int64
	if _, err := queryOne(ctx, q, `SELECT count(*), coalesce(max(rowid), 0) FROM file`, nil, &rows, &last); err != nil {
		return nil, translate(err, "count the files")
	}
	if s.names != nil && s.rows == rows && s.last == last && time.Since(s.at) < sharedNamesTTL {
		return s.names, nil
	}
	names, at := map[string]bool{}, time.Now()
	err := eachPathName(ctx, q, func(id, name string) {
		if leadingUUID(name) != mention.Token(id) {
			names[name] = true
		}
	})
	if err == nil {
		s.names, s.rows, s.last, s.at = names, rows, last, at
	}
	return names, err
}

// leadingUUID is the UUID that a name begins with, or nothing.
func leadingUUID(name string) string {
	const length = 36
	if len(name) >= length && mention.IsUUID(mention.Token(name[:length])) {
		return mention.Token(name[:length])
	}
	return ""
}

// sweepNames are the base names of paths that are not named after their own row:
// plugins share paths. To find them the whole table is read, once a sweep.
type sweepNames struct {
	mu    sync.Mutex
	sweep int64
	used  map[string]bool
}

func (n *sweepNames) forSweep(ctx context.Context, q querier, sweep int64) (map[string]bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.used != nil && n.sweep == sweep {
		return n.used, nil
	}
	used := map[string]bool{}
	err := eachPathName(ctx, q, func(id, name string) {
		if !strings.HasPrefix(name, id) {
			used[name] = true
		}
	})
	if err == nil {
		n.sweep, n.used = sweep, used
	}
	return used, err
}

// eachPathName calls yield with each file's id and the base name of its path. The path
// lies behind the extracted text in its row: this reads the whole table.
func eachPathName(ctx context.Context, q querier, yield func(id, name string)) error {
	var id, path string
	err := queryEach(ctx, q, `SELECT CAST(id AS TEXT), CAST(path AS TEXT) FROM file WHERE id IS NOT NULL AND path <> ''`, nil, []any{&id, &path}, func() error {
		if name := openwebui.BaseName(path); name != "" {
			yield(id, name)
		}
		return nil
	})
	return translate(err, "read the paths of table file")
}
