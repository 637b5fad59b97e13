package sweep

import (
	"context"
	"hash/maphash"
	"strings"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/vectors"
)

// maxSample bounds the files that are asked for who made them.
const maxSample = 100

// tally counts, while a store is listed, whose files are in it.
type tally struct {
	files, strangers distinct
	ours             bool     // one at least has a row, or had
	sample           []string // of strangers
	strange          []string // own collections of ids that never were a file's, and are no UUID
	unlinked         map[string]bool
}

// addPage counts a page, and returns what of it has no row and may be this installation's:
// that an id is no UUID, and never was a file's here either, says that it is another program's.
func (c *tally) addPage(ctx context.Context, db repo.Ownership, tx repo.Tx, d repo.Direction, page []repo.Listed) ([]repo.Listed, error) {
	ids, seen := []string{}, map[string]bool{}
	for _, item := range page {
		if !seen[item.FileID] {
			seen[item.FileID] = true
			ids = append(ids, item.FileID)
		}
	}
	had, err := db.FindRowless(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	var rowless []repo.Listed
	for _, item := range page {
		was, is := had[item.FileID]
		stranger := is && !was
		if d == repo.FromVectors && stranger && !mention.IsUUID(mention.Token(item.FileID)) {
			c.addForeign(item.FileID)
			continue
		}
		if is {
			rowless = append(rowless, item)
		}
		c.countFile(item.FileID, stranger)
	}
	return rowless, nil
}

func (c *tally) countFile(id string, stranger bool) {
	c.files.addText(id)
	if !stranger {
		c.ours = true
		return
	}
	c.strangers.addText(id)
	if len(c.sample) < maxSample {
		c.sample = append(c.sample, id)
	}
}

func (c *tally) addForeign(id string) {
	if name := vectors.FileCollection(id); len(c.strange) < vectors.MaxStrange {
		c.strange = append(c.strange, name)
	}
}

// addLeftover counts a collection, or a point. Known are those in use.
func (c *tally) addLeftover(name string, free bool) {
	c.files.addText(name)
	if free {
		c.strangers.addText(name)
	} else {
		c.ours = true
	}
}

// countFiles is how many files are in the store, known how many of them are, or were, rows
// of this database: at least one if any is.
func (c *tally) countFiles() int64 { return c.files.estimate() }

func (c *tally) countKnown() int64 {
	known := max(c.files.estimate()-c.strangers.estimate(), 0)
	if !c.ours {
		return 0
	}
	return max(known, 1)
}

// ForeignCollections lists collections in a store that are not Open WebUI's: they are never
// looked into, and never touched.
func ForeignCollections(ctx context.Context, db repo.Engine, store vectors.Store) (names []string, err error) {
	found, err := store.Strange(ctx)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	var ids []string
	for _, name := range found {
		if id, own := vectors.CollectionOwner(name); own {
			ids = append(ids, id)
		}
	}
	stranger := map[string]bool{}
	err = db.InTx(ctx, nil, func(tx repo.Tx) error {
		had, err := db.FindRowless(ctx, tx, ids)
		for id, was := range had {
			stranger[id] = !was
		}
		return err
	})
	for _, name := range found {
		if id, own := vectors.CollectionOwner(name); !own || stranger[id] {
			names = append(names, name)
		}
	}
	return names, err
}

// shortList names some of many.
func shortList(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + ", ..."
}

// maxDistinct bounds what distinct remembers: half a megabyte, and an estimate
// that is wrong by about half a percent.
const maxDistinct = 1 << 16

var distinctSeed = maphash.MakeSeed()

// distinct counts different texts: exactly as long as they are few, beyond that
// by an estimate (Wegman's adaptive sampling), in bounded memory.
type distinct struct {
	hashes map[uint64]struct{} // those that end in level zero bits
	level  int
}

func (d *distinct) addText(s string) {
	if d.hashes == nil {
		d.hashes = map[uint64]struct{}{}
	}
	hash := maphash.String(distinctSeed, s)
	if !d.isSampled(hash) {
		return
	}
	d.hashes[hash] = struct{}{}
	for len(d.hashes) > maxDistinct {
		d.level++
		for hash := range d.hashes {
			if !d.isSampled(hash) {
				delete(d.hashes, hash)
			}
		}
	}
}

func (d *distinct) isSampled(hash uint64) bool { return hash&(1<<d.level-1) == 0 }

func (d *distinct) estimate() int64 { return int64(len(d.hashes)) << d.level }

// about says that the numbers are estimates.
func (c contents) about() string {
	if c.there > maxDistinct {
		return "about "
	}
	return ""
}
