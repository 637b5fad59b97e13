package postgres

// Row versions are compared by age(), which counts on a ring: a row that was frozen
// keeps the number that it had, and two thousand million transactions later that
// number looks like one of the future. A row that a snapshot sees has in truth a
// number below the snapshot's end, unless it is our own. So what looks younger than
// that end is as old as a row can be.

// ageOfEndSQL is the age of the end of the statement's own snapshot.
const ageOfEndSQL = `(SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))`

// ownVersions is how far beyond that end the numbers of our own transaction, and of
// its savepoints, may be: what it wrote counts as well.
const ownVersions = "1048576"

// changedSince is the condition that row version t is not older than a mark.
func changedSince(mark string) string {
	return "(age(t.xmin) <= age(" + mark + ") AND age(t.xmin) > " + ageOfEndSQL + " - " + ownVersions + ")"
}
