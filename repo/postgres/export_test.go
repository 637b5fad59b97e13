package postgres

import "time"

// EndEachPage has a full pass commit after every page.
func (db *DB) EndEachPage() { db.index.PageTime = 0 }

// KeepPlan returns what brings back the plan of the last look, as a worker does that
// was slow to make it.
func (db *DB) KeepPlan() (bringBack func()) {
	p := db.index.Last.Load()
	return func() { db.index.Last.Store(p) }
}

// WaitForWriters has a look take every transaction of somebody who writes for a long one.
func (db *DB) WaitForWriters() { db.index.LongWriting = 0 }

// WaitForWritersOf has it take those of that age for one.
func (db *DB) WaitForWritersOf(age time.Duration) { db.index.LongWriting = age }
