package sqlite

// Present says whether the file that was opened still is the one at its path. Where
// a backup took its place only opening the database anew helps.
func (db *DB) Present() error { return db.present() }
