package main

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// held is what an installation holds of some files.
type held struct {
	rows       int64 // of table file
	chunks     int64 // in the files' own collections
	shared     int64 // of theirs in knowledge bases
	bytes      int64 // files in the upload folder
	tombstones int64
}

func (h held) String() string {
	return fmt.Sprintf("%d rows, %d chunks of their own and %d in knowledge bases, %d files of bytes, %d tombstones",
		h.rows, h.chunks, h.shared, h.bytes, h.tombstones)
}

// counted is an installation that can be counted, whichever engine and store it has.
type counted interface {
	// holds counts all but bytes.
	holds(ctx context.Context, ids []string) (held, error)
	// waits is what of the orphans waits for the vector store to carry it out, by
	// what was asked of that.
	waits(ctx context.Context) (held, error)
	// torn counts collections that are removed in part.
	torn(ctx context.Context) (int64, error)
	// sound checks what must hold in every state.
	sound(ctx context.Context) error
	// settle has everything carried out that waits for the vector store.
	settle(ctx context.Context) error
}

// promises are what must hold of an installation, whenever the program is killed.
type promises struct {
	*installation
	counted
	inUse held // what the files in use had at first
}

// promise takes down what must not be lost.
func promise(ctx context.Context, i *installation, c counted) (p *promises, err error) {
	// Tombstones are counted from the first.
	if _, _, err := i.pruned(ctx, nil, nil, nil, "migrate"); err != nil {
		return nil, err
	}
	p = &promises{installation: i, counted: c}
	if p.inUse, err = p.count(ctx, i.InUse); err != nil {
		return nil, err
	}
	n := int64(len(i.InUse))
	if p.inUse.rows != n || p.inUse.bytes != n || p.inUse.chunks < n || p.inUse.shared == 0 {
		return nil, fmt.Errorf("%d files in use have only %s", n, p.inUse)
	}
	return p, p.sound(ctx)
}

func (p *promises) count(ctx context.Context, ids []string) (held, error) {
	h, err := p.holds(ctx, ids)
	if err != nil {
		return h, err
	}
	entries, err := os.ReadDir(p.uploads())
	if err != nil {
		return h, err
	}
	there := map[string]bool{}
	for _, entry := range entries {
		// Every name begins with the id that it belongs to.
		id, _, _ := strings.Cut(entry.Name(), "_")
		there[id] = true
	}
	for _, id := range ids {
		if there[id] {
			h.bytes++
		}
	}
	return h, nil
}

// nothingLost checks that every file in use has row, vectors and bytes.
func (p *promises) nothingLost(ctx context.Context) error {
	h, err := p.count(ctx, p.InUse)
	if err != nil {
		return err
	}
	if h != p.inUse {
		return fmt.Errorf("%d files in use have %s, and had %s", len(p.InUse), h, p.inUse)
	}
	return p.sound(ctx)
}

// nothingLeft checks that orphans have no row, vectors, bytes or tombstones, but
// for what waits for the vector store.
func (p *promises) nothingLeft(ctx context.Context) error {
	h, err := p.count(ctx, p.Orphans)
	if err != nil {
		return err
	}
	waiting, err := p.waits(ctx)
	if err != nil {
		return err
	}
	if h != waiting {
		return fmt.Errorf("of %d orphans are left %s; there wait %s", len(p.Orphans), h, waiting)
	}
	torn, err := p.torn(ctx)
	if err == nil && torn > 0 {
		err = fmt.Errorf("%d collections are left in part", torn)
	}
	return err
}
