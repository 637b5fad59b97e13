// Package consumer is the queue side of pruned: orphan events come in batches from a
// JetStream stream, a handler decides about each batch, and every message is settled
// by the outcome of its event.
//
// Its central idea is that an acknowledgement follows the truth and never leads
// it: a message is acked only after the handler's transaction has committed,
// nak'd when trying again helps, and terminated only once a dead letter holds
// what it said. Everything that follows from a crash in between is a
// redelivery, and an event that comes twice does no harm.
//
// The package knows the handler's contract (package event), and neither what prunes,
// sweeps and reaps, nor how the program is configured.
package consumer
