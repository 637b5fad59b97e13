package postgres

import "time"

// EndEachPage has a full pass commit after every page.
func (db *DB) EndEachPage() { db.pagesTime = 0 }

// KeepPlan returns what brings back the plan of the last look, as a worker does that
// was slow to make it.
func (db *DB) KeepPlan() (bringBack func()) {
	p := db.looks.get()
	return func() { db.looks.set(p) }
}

// NextFetch is how many rows a fetch asks for after one of so many and so large.
var NextFetch = nextFetch

// WaitForWriters has a look take every transaction of somebody who writes for a long one.
func (db *DB) WaitForWriters() { db.longWriting = 0 }

// WaitForWritersOf has it take those of that age for one.
func (db *DB) WaitForWritersOf(age time.Duration) { db.longWriting = age }
