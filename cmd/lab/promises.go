package main

import (
	"context"
	"fmt"
	"strings"
)

// held is what an installation holds of some files.
type held struct {
	rows       int64 // of table file
	chunks     int64 // in the files' own collections
	shared     int64 // of theirs in knowledge bases
	bytes      int64 // files in the upload folder, and objects of a bucket
	tombstones int64
}

func (h held) String() string {
	return fmt.Sprintf("%d rows, %d chunks of their own and %d in knowledge bases, %d files of bytes, %d tombstones",
		h.rows, h.chunks, h.shared, h.bytes, h.tombstones)
}

// counted is an installation that can be counted, whichever engine and store it has.
type counted interface {
	// countHeld counts all but bytes.
	countHeld(ctx context.Context, ids []string) (held, error)
	// countWaiting is what of the orphans waits for the vector store to carry it out, by
	// what was asked of that.
	countWaiting(ctx context.Context) (held, error)
	// countTorn counts collections that are removed in part.
	countTorn(ctx context.Context) (int64, error)
	// countLeftovers counts collections and memories, but for what waits for the vector
	// store to carry it out.
	countLeftovers(ctx context.Context) (leftoverCount, error)
	// ageLeftovers sets back when a sweep found them.
	ageLeftovers(ctx context.Context) error
	// checkSound checks what must hold in every state.
	checkSound(ctx context.Context) error
	// countTrash counts what of files is there, and what is in the trash.
	countTrash(ctx context.Context, ids []string) (trashCount, error)
	// digestRows is the same where the rows of files are.
	digestRows(ctx context.Context, ids []string) (string, error)
	// settleStore has everything carried out that waits for the vector store.
	settleStore(ctx context.Context) error
}

// promises are what must hold of an installation, whenever the program is killed.
type promises struct {
	*installation
	counted
	inUse held // what the files in use had at first
}

// newPromises takes down what must not be lost.
func newPromises(ctx context.Context, i *installation, c counted) (p *promises, err error) {
	// Tombstones are counted from the first.
	if _, _, err := i.runProgram(ctx, nil, nil, nil, "migrate"); err != nil {
		return nil, err
	}
	p = &promises{installation: i, counted: c}
	if p.inUse, err = p.countAll(ctx, i.InUse); err != nil {
		return nil, err
	}
	n := int64(len(i.InUse))
	if p.inUse.rows != n || p.inUse.bytes != n*i.bytesPlaces() || p.inUse.chunks < n || p.inUse.shared == 0 {
		return nil, fmt.Errorf("%d files in use have only %s", n, p.inUse)
	}
	return p, p.checkNothingLost(ctx)
}

func (p *promises) countAll(ctx context.Context, ids []string) (held, error) {
	h, err := p.countHeld(ctx, ids)
	if err != nil {
		return h, err
	}
	names, err := p.objectNames(ctx)
	if err != nil {
		return h, err
	}
	there := map[string]int64{}
	for _, name := range names {
		// Every name begins with the id that it belongs to.
		id, _, _ := strings.Cut(name, "_")
		there[id]++
	}
	for _, id := range ids {
		h.bytes += there[id]
	}
	return h, nil
}

// checkNothingLost checks that every file in use has row, vectors and bytes, and that
// collections and memories in use are there.
func (p *promises) checkNothingLost(ctx context.Context) error {
	h, err := p.countAll(ctx, p.InUse)
	if err != nil {
		return err
	}
	if h != p.inUse {
		return fmt.Errorf("%d files in use have %s, and had %s", len(p.InUse), h, p.inUse)
	}
	c, err := p.countLeftovers(ctx)
	if err == nil {
		err = p.leftovers.checkUsed(c)
	}
	if err != nil {
		return err
	}
	return p.checkSound(ctx)
}

// checkNothingLeft checks that orphans have no row, vectors, bytes or tombstones, and that
// no unused collection or memory is there, but for what waits for the vector store.
func (p *promises) checkNothingLeft(ctx context.Context) error {
	h, err := p.countAll(ctx, p.Orphans)
	if err != nil {
		return err
	}
	waiting, err := p.countWaiting(ctx)
	if err != nil {
		return err
	}
	if h != waiting {
		return fmt.Errorf("of %d orphans are left %s; there wait %s", len(p.Orphans), h, waiting)
	}
	torn, err := p.countTorn(ctx)
	if err == nil && torn > 0 {
		err = fmt.Errorf("%d collections are left in part", torn)
	}
	if err != nil {
		return err
	}
	c, err := p.countLeftovers(ctx)
	if err == nil {
		err = p.leftovers.checkUnused(c)
	}
	return err
}
