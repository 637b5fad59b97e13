// Package sweep finds orphans in rows, vectors and bytes, and publishes an orphan event
// about each.
//
// Its central idea is that a sweep decides nothing: the transaction that handles an
// event checks everything again. What a sweep does decide is whether anything that it
// found may be published at all: a circuit breaker holds a direction in which too much
// would go, or in a store that is not known to be this installation's. Folders of vectors
// that nothing names, and rows of their store that nothing in it can reach, are the
// exception: no event could be about them, and the sweep asks the store to remove them.
package sweep
