package refindex

import (
	"maps"
	"slices"
	"sync"

	"pruned/repo/mention"
)

// A recheck reads what changed since the marks. Beside somebody who writes those are the same
// rows for each batch, and more of them, until the next pass. So the UUIDs of what rechecks of
// this process have read are remembered, and the next one reads only what is newer, unless one
// of its files is among them. Why it misses nothing:
//
//  1. It does not read a row version that it sees, and that is not older than its table's mark,
//     only where the version is older than every transaction that was open at the snapshot of an
//     earlier recheck. That one saw the version as well, since it is there until now, and read
//     it, or left it to one that was earlier still.
//  2. A row that was dead then may live by now without being written (aliveSQL). So UUIDs of
//     dead rows are remembered like others; and a recheck that read nothing, since no row that
//     lives had changed (see quiet), counts for none.
//  3. What the recheck's own transaction had deleted it did not see, and a rollback brings that
//     back. Such tables are none of these: FindIndexed reads them (isReadFirst).
//  4. Tables, what goes with a file, list of the index and marks are those of the earlier
//     rechecks, or it begins anew. So it does on another server, and after a checkpoint: numbers
//     of transactions mean something for one server alone (see quiet).
//  5. An id that is no UUID is never remembered: then everything is read. So it is where a file
//     is among the UUIDs: the row may not mention it any more, or be gone.
//
// It is about rows that FindIndexed leaves to the recheck; of others each recheck reads what
// appeared since its own look.
type readings struct {
	mu    sync.Mutex
	of    readingsState
	until string // the first transaction that was open at the last recheck; empty before the first
	uuids uuidSet
	found bool // a row was read
	// number is that of the beginning: what a recheck read that began before is no matter.
	number int
}

// readingsState is what readings hold for.
type readingsState struct {
	catalog, deletes, index, server string
	marks                           map[int]string
}

func (s *readingsState) equals(o *readingsState) bool {
	return s.catalog == o.catalog && s.deletes == o.deletes && s.index == o.index && s.server == o.server && maps.Equal(s.marks, o.marks)
}

// startRecheck says from which transaction on a recheck about some files has to read; it is empty
// where that are the marks.
func (k *readings) startRecheck(p *Plan, state *lookState, ids []string) (until string, number int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := readingsState{p.catalog, p.deletes, p.index, state.At, state.Since}
	if !k.of.equals(&now) {
		k.startAnew(now)
	}
	if k.mayMention(ids) {
		return "", k.number
	}
	return k.until, k.number
}

func (k *readings) startAnew(of readingsState) {
	k.of, k.until, k.found = of, "", false
	k.number++
	k.uuids = uuidSet{}
}

// mayMention says whether a row that was read may mention one of the files.
func (k *readings) mayMention(ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool {
		u, is := mention.ParseUUID(mention.Token(id))
		return !is || k.uuids.has(u)
	})
}

// remember takes what a recheck reads.
func (k *readings) remember(number int, a *answerRow) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.number != number || a.relation.isReadFirst() {
		return
	}
	k.found = true
	a.relation.findColumn(a.column).eachCounted(a.text, func(part []byte) { mention.Tokens(part, k.uuids.addToken) })
	if k.uuids.isFull() {
		k.startAnew(readingsState{}) // 4 MB are enough: the next recheck begins at the marks
	}
}

// endRecheck notes that a recheck has read everything, and says whether that, or what was remembered,
// was anything.
func (k *readings) endRecheck(number int, h *answerHeader) (found bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.number != number {
		return true
	}
	if begin := beginOf(h.Snapshot); !h.Quiet && toNumber(begin) > toNumber(k.until) {
		k.until = begin
	}
	return k.found
}
