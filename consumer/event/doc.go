// Package event is the vocabulary of the queue: the orphan event, which says that a
// file may be an orphan, the outcome that it comes to, and the Handler that decides.
//
// Its central idea is that whoever decides about files knows no queue: the packages
// that prune, and the consumer that settles messages, meet in these types alone. The
// package knows neither the queue nor the database.
package event
