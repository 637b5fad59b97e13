package postgres

// EndEachPage has a full pass commit after every page.
func (db *DB) EndEachPage() { db.pagesTime = 0 }
