package consumer

import (
	"context"
	"time"
)

// Outcome is what became of one event.
type Outcome string

// The outcomes. Busy and Failed come again, all others are final.
const (
	Deleted Outcome = "deleted" // the row was locked, unreferenced, deleted; committed
	Gone    Outcome = "gone"    // no such row; what else bore its id is cleaned
	Kept    Outcome = "kept"    // a reference exists
	Young   Outcome = "young"   // too young, in flight, or not unreferenced for long enough
	Busy    Outcome = "busy"    // somebody else holds the row
	Invalid Outcome = "invalid" // not an event
	Poison  Outcome = "poison"  // can never succeed
	Failed  Outcome = "failed"  // for a reason that passes
)

// final holds for outcomes after which the message never comes again.
func (o Outcome) final() bool { return o != Busy && o != Failed }

func (o Outcome) known() bool {
	switch o {
	case Deleted, Gone, Kept, Young, Busy, Invalid, Poison, Failed:
		return true
	}
	return false
}

// Result is the outcome of one event with what explains it.
type Result struct {
	Outcome Outcome
	Detail  string        // for people
	Err     error         // of poison and failed
	RetryIn time.Duration // young: when a claim is useful again; busy, failed: the delay, zero for the usual one
}

// Delivery is an event with how often the queue has delivered it, this time
// included.
type Delivery struct {
	Event
	Deliveries uint64
}

// Handler judges batches. It is called by several workers at once.
type Handler interface {
	// Handle judges events, each file id at most once, and returns one result
	// per event in their order. lease is when the queue gives them to somebody
	// else; extend asks for a whole lease more.
	//
	// An error means that nothing can be deleted until somebody mends the
	// environment. The results may then be missing: events without one are
	// given back at once and nothing is fetched until Options.Ready agrees.
	Handle(ctx context.Context, events []Delivery, lease time.Time, extend func() error) ([]Result, error)

	// Size is how many events the next batch may have.
	Size() int
}

// Summary counts what became of the files that events are about.
type Summary struct {
	Batches  int     `json:"batches"`
	Events   int     `json:"events"`
	Deleted  int     `json:"deleted"`
	Gone     int     `json:"gone"`
	Kept     int     `json:"kept"`
	Young    int     `json:"young"`
	Busy     int     `json:"busy"`
	Invalid  int     `json:"invalid"`
	Poison   int     `json:"poison"`
	Failed   int     `json:"failed"`
	Repeated int     `json:"repeated"` // events about a file that another one of their batch was about
	Waiting  int     `json:"waiting"`  // files whose vectors were to go and are still there, at the end
	Duration float64 `json:"duration_s"`

	WaitingFor string `json:"waiting_for,omitempty"` // in a sentence
}

// count returns where an outcome is counted.
func (s *Summary) count(o Outcome) *int {
	switch o {
	case Deleted:
		return &s.Deleted
	case Gone:
		return &s.Gone
	case Kept:
		return &s.Kept
	case Young:
		return &s.Young
	case Busy:
		return &s.Busy
	case Invalid:
		return &s.Invalid
	case Poison:
		return &s.Poison
	}
	return &s.Failed
}

// add counts another summary in, its duration aside.
func (s *Summary) add(o Summary) {
	s.Batches += o.Batches
	s.Events += o.Events
	s.Repeated += o.Repeated
	for _, outcome := range []Outcome{Deleted, Gone, Kept, Young, Busy, Invalid, Poison, Failed} {
		*s.count(outcome) += *o.count(outcome)
	}
}
