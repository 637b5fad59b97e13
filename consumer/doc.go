// Package consumer is the queue side of pruned: claims come in batches from a
// JetStream stream, a Handler judges each batch, and every message is settled
// by what became of its claim.
//
// Its central idea is that an acknowledgement follows the truth and never leads
// it: a message is acked only after the handler's transaction has committed,
// nak'd when trying again helps, and terminated only once a dead letter holds
// what it said. Everything that follows from a crash in between is a
// redelivery, and a claim that comes twice does no harm.
//
// The package knows the contracts of repo and of vectors, never an engine, and
// nothing of how the program is configured.
package consumer
