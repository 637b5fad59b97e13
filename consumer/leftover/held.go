package leftover

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"pruned/vectors"
)

// The chunks of one file in a knowledge base are one leftover. Its point is the file's id and
// a digest of the chunks' own ids: others that are stored later, of the same file, are
// another leftover with times of its own, and never go with those that a sweep saw.

// digestMark stands between a file's id and the digest.
const digestMark = ":"

// HeldFile is the file whose chunks in a knowledge base it is.
func (l Leftover) HeldFile() (file string, is bool) {
	i := strings.LastIndex(l.Point, digestMark)
	if i <= 0 || i == len(l.Point)-1 || !vectors.IsKnowledge(l.Collection) {
		return "", false
	}
	return l.Point[:i], true
}

// linkedWithin is in what time the application links a file to a knowledge base after it
// stored the chunks there, with much to spare.
const linkedWithin = time.Hour

// MinGrace is how long nothing is known to use it before it goes, whatever the ages.
func (l Leftover) MinGrace() time.Duration {
	if _, is := l.HeldFile(); is {
		return linkedWithin
	}
	return 0
}

// Held are chunks of one file in a knowledge base.
type Held struct {
	IDs    []string // of the chunks, where files were named
	Chunks int64
	sum    uint64
}

// add makes the digest one of another set of ids, in any order.
func (h *Held) add(id string) {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(id)) // never fails
	h.sum ^= hash.Sum64()
	h.Chunks++
}

// ListHeld lists what knowledge bases hold of these files, or of all where none is named.
// What no name can tell of is left out.
func ListHeld(ctx context.Context, store vectors.CollectionStore, knowledge, files []string) (map[Leftover]Held, error) {
	type place struct{ collection, file string }
	found := map[place]*Held{}
	for c, err := range store.ListChunks(ctx, knowledge, files) {
		if err != nil {
			return nil, err
		}
		at := place{c.Collection, c.FileID}
		held := found[at]
		if held == nil {
			held = &Held{}
			found[at] = held
		}
		if held.add(c.ID); len(files) > 0 {
			held.IDs = append(held.IDs, c.ID)
		}
	}
	list := make(map[Leftover]Held, len(found))
	for at, held := range found {
		l := Leftover{at.collection, fmt.Sprintf("%s%s%d-%016x", at.file, digestMark, held.Chunks, held.sum)}
		if _, is := l.HeldFile(); is && !strings.Contains(at.file, separator) {
			list[l] = *held
		}
	}
	return list, nil
}
