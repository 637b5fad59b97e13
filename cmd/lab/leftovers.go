package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"

	"pruned/repo/testenv"
)

// leftovers is how many collections of searches of the web, and how many memories of a user
// who lives, nothing uses. As many of each are in use.
type leftovers int

const searchPrefix = "web-search-" + testenv.UserID + "-"

// searches are the names of the collections, each time the same: those that nothing uses
// come first.
func (n leftovers) searches() (names []string) {
	for i := range 2 * int(n) {
		names = append(names, fmt.Sprintf("%s%032x", searchPrefix, i+1))
	}
	return names
}

// memories are the ids of the memories, and of their points, in the same order.
func (n leftovers) memories() (ids []string) {
	for i := range 2 * int(n) {
		ids = append(ids, fmt.Sprintf("%08x-0000-4000-8000-000000000000", i+1))
	}
	return ids
}

// memoryCollection has the points of the memories.
const memoryCollection = "user-memory-" + testenv.UserID

// leftoverCount is what is there of them.
type leftoverCount struct {
	searches, memories             int // in use
	unusedSearches, unusedMemories int
	tombstones                     int // of others than files, on PostgreSQL
}

// checkUsed checks that none in use is missing.
func (n leftovers) checkUsed(c leftoverCount) error {
	if c.searches != int(n) || c.memories != int(n) {
		return fmt.Errorf("of %d collections and %d memories in use %d and %d are there", n, n, c.searches, c.memories)
	}
	return nil
}

// checkUnused checks that no other is there.
func (n leftovers) checkUnused(c leftoverCount) error {
	if c.unusedSearches+c.unusedMemories+c.tombstones > 0 {
		return fmt.Errorf("%d collections and %d memories are left that nothing uses, and %d tombstones of such", c.unusedSearches, c.unusedMemories, c.tombstones)
	}
	return nil
}

// subject is what an event can be about.
type subject struct{ typ, name string }

// shuffledSubjects are all files, collections and memories, in any order.
func (i *installation) shuffledSubjects() (all []subject) {
	for _, id := range i.shuffledIDs() {
		all = append(all, subject{"file", id})
	}
	for _, name := range i.leftovers.searches() {
		all = append(all, subject{"collection", name})
	}
	for _, id := range i.leftovers.memories() {
		all = append(all, subject{"points", memoryCollection + "/" + id})
	}
	rand.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	return all
}

func (i *installation) publishSubjects(ctx context.Context, some []subject) error {
	named := map[string][]string{}
	for _, s := range some {
		named[s.typ] = append(named[s.typ], s.name)
	}
	for typ, names := range named {
		if err := i.publishType(ctx, typ, names); err != nil {
			return err
		}
	}
	return nil
}

// statusHeld is how a sweep ends that was held.
const statusHeld = 3

// recordLeftovers has a sweep find collections and memories that nothing uses, which is held,
// and sets back when that was: an event alone lets none of them go.
func (p *promises) recordLeftovers(ctx context.Context) error {
	_, err := p.runSweep(ctx)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == statusHeld {
		err = nil
	}
	return errors.Join(err, p.ageLeftovers(ctx))
}
