package sqlite

import "time"

// LongestLock is how long the write lock was ever held.
func (db *DB) LongestLock() time.Duration { return db.lock.longestHeld }

// FileNumber is what tells one file from another while it is open.
var FileNumber = fileNumber
