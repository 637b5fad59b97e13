// Package integration holds the tests in which a queue, transactions and tombstones work
// together, as in a run. It has no other code.
package integration
