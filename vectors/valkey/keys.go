package valkey

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"

	"pruned/vectors"
	"pruned/vectors/flat"
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
func (s *server) Read(ctx context.Context, q flat.Question) iter.Seq2[[]flat.Point, error] {
	return func(yield func([]flat.Point, error) bool) {
		may := s.mayMean(q)
		seen, seed := map[uint64]struct{}{}, maphash.MakeSeed()
		for cursor := uint64(0); ; {
			found, next, err := s.scan(ctx, cursor)
			var keys []string
			for _, key := range found {
				sum := maphash.String(seed, key) // a key may come twice
				if _, again := seen[sum]; again || !may(key) {
					continue
				}
				seen[sum] = struct{}{}
				keys = append(keys, key)
			}
			var page []flat.Point
			if err == nil && len(keys) > 0 {
				page, err = s.readHashes(ctx, keys)
			}
			if !yield(page, err) || err != nil || next == 0 {
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
func (s *server) mayMean(q flat.Question) func(key string) bool {
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

// readHashes leaves out what is gone meanwhile, and what is somebody else's.
func (s *server) readHashes(ctx context.Context, keys []string) (list []flat.Point, err error) {
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
func (s *server) pointOf(key, id, file, text string) (p flat.Point, ours bool) {
	collection, ours := strings.CutSuffix(strings.TrimPrefix(key, s.prefix), ":"+id)
	if !ours || id == "" || collection == "" {
		return p, false
	}
	p = flat.Point{Collection: collection, ID: id}
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

// escape has every sign of a pattern mean itself.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `^`, `\^`).Replace(text)
}

// ReadFirst scans until it has enough: every write is seen at once.
func (s *server) ReadFirst(ctx context.Context, q flat.Question) (found []flat.Point, err error) {
	match := q.Match()
	for page, err := range s.Read(ctx, q) {
		if err != nil {
			return nil, err
		}
		for _, p := range page {
			if match(p) {
				found = append(found, p)
			}
		}
		if len(found) >= foundAtOnce {
			break
		}
	}
	return found, nil
}

// MaxDelete is what one command deletes.
func (s *server) MaxDelete() int { return deletedAtOnce }

// Freshness is nothing.
func (s *server) Freshness() time.Duration { return 0 }

// Key is that of the hash.
func (s *server) Key(p flat.Point) string { return s.prefix + p.Collection + ":" + p.ID }

// Delete deletes hashes by their keys.
func (s *server) Delete(ctx context.Context, keys []string) error {
	command := []any{"DEL"}
	for _, key := range keys {
		command = append(command, key)
	}
	_, err := s.ask(ctx, fmt.Sprintf("delete %d keys", len(keys)), command)
	return err
}

// CanHave says that a point can have any id.
func (s *server) CanHave(id string) bool { return id != "" }

const indexPrefix = "idx:"

// Check lists the indexes, which only a server with a module for searches can.
func (s *server) Check(ctx context.Context) error {
	_, err := s.ListEmpty(ctx)
	return err
}

// ListEmpty lists the application's indexes: one stays when its keys are gone.
func (s *server) ListEmpty(ctx context.Context) (collections []string, err error) {
	names, err := s.askTexts(ctx, "list the indexes", "FT._LIST")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if collection, ours := strings.CutPrefix(name, indexPrefix+s.prefix); ours && collection != "" {
			collections = append(collections, collection)
		}
	}
	return collections, nil
}

// DropEmpty drops an index, as the application drops a collection: a running one finds nothing
// there, and makes it again when it writes.
func (s *server) DropEmpty(ctx context.Context, collection string) error {
	name := indexPrefix + s.prefix + collection
	_, failure := s.ask(ctx, "drop index "+name, []any{"FT.DROPINDEX", name})
	if failure == nil {
		return nil
	}
	if now, err := s.ListEmpty(ctx); err != nil || !slices.Contains(now, collection) {
		return err // somebody else dropped it
	}
	return failure
}
