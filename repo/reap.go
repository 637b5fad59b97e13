package repo

import (
	"context"
	"time"
)

// Reaper is the work that is left outside the transaction.
type Reaper interface {
	// FetchDue takes up to most tombstones of a kind that are due, and holds
	// them until tx ends: each is carried out by one process.
	FetchDue(ctx context.Context, tx Tx, kind string, most int) ([]Tombstone, error)

	// ClaimBytes says that the bytes of these tombstones are about to go: nothing that is in
	// the trash gets them back. It comes before the question whether they are still
	// referenced, and in a transaction that has committed by then.
	ClaimBytes(ctx context.Context, tx Tx, tombstones []Tombstone) error

	// StillReferenced says which of them, by Seq, must not be carried out: a row has
	// that id, or a path with that base name, as an entry of the trash may that came after
	// the claim. Of collections and points it says nothing.
	// It is ErrRowsMissing where nothing must be.
	StillReferenced(ctx context.Context, tx Tx, tombstones []Tombstone) (map[int64]bool, error)

	// Settle writes what became of tombstones.
	Settle(ctx context.Context, tx Tx, s Settlement) error

	// Backlog tells of the tombstones of some kinds.
	Backlog(ctx context.Context, kinds ...string) (Backlog, error)
}

// Settlement is what became of a set of tombstones.
type Settlement struct {
	Done  []int64 // by Seq: these are removed
	Retry []Retry // these are due again
	Notes []Note  // for the last line of the ledger about a file
}

// Add adds what became of others.
func (s *Settlement) Add(o Settlement) {
	s.Done = append(s.Done, o.Done...)
	s.Retry = append(s.Retry, o.Retry...)
	s.Notes = append(s.Notes, o.Notes...)
}

// Retry makes a tombstone due again after a delay.
type Retry struct {
	Seq    int64
	Delay  time.Duration
	Reason string
}

// Note says what happened to a file outside the transaction.
type Note struct{ FileID, Text string }

// Backlog is how many tombstones wait.
type Backlog struct {
	Count   int64
	DueIn   time.Duration // until the first is due; zero or less when it is
	Retried int64         // of them, those that were postponed at least once
	Reason  string        // why that one was which was tried most often
}
