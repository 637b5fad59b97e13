package valkey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"strings"

	"github.com/gomodule/redigo/redis"

	"pruned/vectors"
	"pruned/vectors/apart"
)

const (
	// scannedAtOnce is about how many keys the server looks at for one answer.
	scannedAtOnce = 1000
	deletedAtOnce = 1000
	// foundAtOnce bounds what is found before it is deleted: a look scans all keys.
	foundAtOnce = 20_000
)

const makerKey = "created_by" // of the metadata

// Read scans the keys, and reads the hashes of those that may be meant.
func (s *server) Read(ctx context.Context, from apart.Place, q apart.Question) iter.Seq2[[]apart.Point, error] {
	return func(yield func([]apart.Point, error) bool) {
		files := vectors.Set(q.Files)
		for keys, err := range s.scanAll(ctx, from, s.mayMean(q)) {
			var page []apart.Point
			if err == nil && len(files) > 0 {
				keys, err = s.keepFiles(ctx, keys, files)
			}
			if err == nil && len(keys) > 0 {
				page, err = s.readHashes(ctx, keys)
			}
			if !yield(q.Choose(page), err) || err != nil {
				return
			}
		}
	}
}

// ReadDocuments reads all hashes below the prefix, whoever's.
func (s *server) ReadDocuments(ctx context.Context, of apart.Place) iter.Seq2[[]apart.Document, error] {
	return func(yield func([]apart.Document, error) bool) {
		ours := func(key string) bool { return strings.HasPrefix(key, s.prefix) }
		for keys, err := range s.scanAll(ctx, of, ours) {
			var page []apart.Document
			if err == nil {
				page, err = s.readDocuments(ctx, keys)
			}
			if !yield(page, err) || err != nil {
				return
			}
		}
	}
}

// scanAll scans for those keys that may be meant, each once. An index has none.
func (s *server) scanAll(ctx context.Context, from apart.Place, may func(key string) bool) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		if _, is := from.(keys); !is {
			return
		}
		seen, seed := map[uint64]struct{}{}, maphash.MakeSeed()
		for cursor := uint64(0); ; {
			found, next, err := s.scan(ctx, cursor)
			var once []string
			for _, key := range found {
				sum := maphash.String(seed, key) // a key may come twice
				if _, again := seen[sum]; again || !may(key) {
					continue
				}
				seen[sum] = struct{}{}
				once = append(once, key)
			}
			if (err != nil || len(once) > 0) && !yield(once, err) || err != nil || next == 0 {
				return
			}
			cursor = next
		}
	}
}

func (s *server) scan(ctx context.Context, cursor uint64) (keys []string, next uint64, err error) {
	const doing = "scan keys"
	answers, err := s.ask(ctx, doing, []any{"SCAN", cursor, "MATCH", escape(s.prefix) + "*", "COUNT", scannedAtOnce, "TYPE", "hash"})
	if err != nil {
		return nil, 0, err
	}
	parts, err := redis.Values(answers[0], nil)
	if err == nil && len(parts) != 2 {
		return nil, 0, s.Unusable("answers something else than a scan")
	}
	if err == nil {
		next, err = redis.Uint64(parts[0], nil)
	}
	if err == nil {
		keys, err = redis.Strings(parts[1], nil)
	}
	if err != nil {
		return nil, 0, s.describeFailure(doing, err)
	}
	return keys, next, nil
}

// mayMean says of a key whether its point may be meant.
func (s *server) mayMean(q apart.Question) func(key string) bool {
	names := map[string]bool{}
	for _, name := range q.Collections {
		names[name] = true
	}
	return func(key string) bool {
		rest, ours := strings.CutPrefix(key, s.prefix)
		if !ours || len(names) == 0 && len(q.Files) == 0 {
			return ours
		}
		if len(names) == 0 {
			name, _, _ := strings.Cut(rest, ":")
			return vectors.IsShared(name)
		}
		for i, sign := range rest { // an id, and a collection, may have colons
			if sign == ':' && names[rest[:i]] {
				return true
			}
		}
		return false
	}
}

// keepFiles keeps the keys of hashes that name one of these files: a look for files reads one
// short field of all hashes, and the long ones of those alone.
func (s *server) keepFiles(ctx context.Context, keys []string, files map[string]bool) (kept []string, err error) {
	const doing = "read the files of hashes"
	var commands [][]any
	for _, key := range keys {
		commands = append(commands, []any{"HGET", key, "file_id"})
	}
	answers, err := s.ask(ctx, doing, commands...)
	if err != nil {
		return nil, err
	}
	for i, answer := range answers {
		file, err := redis.String(answer, nil)
		if err != nil && !errors.Is(err, redis.ErrNil) { // gone, or without a file
			return nil, s.describeFailure(doing, err)
		}
		if files[file] {
			kept = append(kept, keys[i])
		}
	}
	return kept, nil
}

// readHashes leaves out what is gone meanwhile, and what is somebody else's.
func (s *server) readHashes(ctx context.Context, keys []string) (list []apart.Point, err error) {
	const doing = "read hashes"
	var commands [][]any
	for _, key := range keys {
		commands = append(commands, []any{"HMGET", key, "id", "file_id", "metadata_json"})
	}
	answers, err := s.ask(ctx, doing, commands...)
	if err != nil {
		return nil, err
	}
	for i, answer := range answers {
		fields, err := redis.Strings(answer, nil)
		if err != nil {
			return nil, s.describeFailure(doing, err)
		}
		if len(fields) != 3 {
			return nil, s.Unusable("answers with other fields of a hash than it was asked for")
		}
		if p, ours := s.pointOf(keys[i], fields[0], fields[1], fields[2]); ours {
			list = append(list, p)
		}
	}
	return list, nil
}

// pointOf tells the collection by the id: of the key {prefix}:{collection}:{id} each part may
// have colons. A chunk without a name is not Open WebUI's.
func (s *server) pointOf(key, id, file, text string) (p apart.Point, ours bool) {
	collection, ours := strings.CutSuffix(strings.TrimPrefix(key, s.prefix), ":"+id)
	if !ours || id == "" || collection == "" {
		return p, false
	}
	p = apart.Point{Collection: collection, ID: id, Key: key}
	var metadata map[string]any
	if json.Unmarshal([]byte(text), &metadata) != nil {
		return p, true
	}
	p.Maker, _ = metadata[makerKey].(string)
	if metadata[vectors.NameKey] != nil {
		p.File = file
	}
	return p, true
}

// readDocuments reads all but the vectors.
func (s *server) readDocuments(ctx context.Context, keys []string) (list []apart.Document, err error) {
	const doing = "read whole hashes"
	var commands [][]any
	for _, key := range keys {
		commands = append(commands, []any{"HGETALL", key})
	}
	answers, err := s.ask(ctx, doing, commands...)
	if err != nil {
		return nil, err
	}
	for i, answer := range answers {
		fields, err := redis.StringMap(answer, nil)
		if err != nil {
			return nil, s.describeFailure(doing, err)
		}
		values := map[string]any{}
		for name, value := range fields {
			if name != "vector" {
				values[name] = value
			}
		}
		list = append(list, apart.Document{ID: keys[i], Values: values})
	}
	return list, nil
}

// escape has every sign of a pattern mean itself.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `^`, `\^`).Replace(text)
}

// ReadFirst scans until it has enough: every write is seen at once.
func (s *server) ReadFirst(ctx context.Context, from apart.Place, q apart.Question) (found []apart.Point, err error) {
	for page, err := range s.Read(ctx, from, q) {
		if err != nil {
			return nil, err
		}
		if found = append(found, page...); len(found) >= foundAtOnce {
			break
		}
	}
	return found, nil
}

// MaxDelete is what one command deletes.
func (s *server) MaxDelete() int { return deletedAtOnce }

// Delete deletes hashes by their keys.
func (s *server) Delete(ctx context.Context, _ apart.Place, keys []string) error {
	command := []any{"DEL"}
	for _, key := range keys {
		command = append(command, key)
	}
	_, err := s.ask(ctx, fmt.Sprintf("delete %d keys", len(keys)), command)
	return err
}

// CanHave says that a point can have any id.
func (s *server) CanHave(id string) bool { return id != "" }
