package repo

import (
	"context"
	"time"
)

// Reporter sums up what our own tables tell of the work, for people who look at it again
// and again. It only reads, and reads no store.
type Reporter interface {
	// HasOwnTables says whether our own tables are there: Migrate makes them.
	HasOwnTables(ctx context.Context) (bool, error)

	// SumCandidates sums up what sweeps found, by direction; those without any are not
	// among the answer.
	SumCandidates(ctx context.Context) ([]CandidateSum, error)

	// SumLedger sums up what was deleted, as far back as the ledger goes. Its other lines,
	// of what people did, are not counted.
	SumLedger(ctx context.Context) (LedgerSum, error)
}

// CandidateSum is what sweeps found in one direction, whether or not it is due.
type CandidateSum struct {
	Direction Direction
	Count     int64
	Size      int64 // of the bytes that a store listed; rows have none here
	Chunks    int64 // likewise, where the store counts them
	Oldest    time.Duration
}

// LedgerSum counts lines of the ledger.
type LedgerSum struct {
	Deleted int64 // rows of table file
	Rest    int64 // objects of files that had no row
	// Minute, Hour and Day are how many of both are that young.
	Minute, Hour, Day int64
	Since             time.Time // of the oldest line; zero where there is none
}
