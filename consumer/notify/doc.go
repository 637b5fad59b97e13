// Package notify tells an address of the operator's what needs a person: that a sweep is
// held, and that an event became a dead letter.
//
// Its central idea is that a notification is never the only place where something is
// known. Holds lie in the database and dead letters in the queue; what is told is read from
// there, again and again until the receiver has taken it, so that nothing waits for a
// receiver and none is forgotten while the process is down. A receiver may be told twice,
// under the same id. Nothing is told that a row, a message or a setting holds: ids and
// counts, and the command that helps. The package knows no queue and no engine.
package notify
