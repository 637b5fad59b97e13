package event

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"
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

// Outcomes are all of them.
var Outcomes = []Outcome{Deleted, Gone, Kept, Young, Busy, Invalid, Poison, Failed}

// IsFinal holds for outcomes after which the message never comes again.
func (o Outcome) IsFinal() bool { return o != Busy && o != Failed }

// IsKnown says whether it is one of the outcomes.
func (o Outcome) IsKnown() bool { return slices.Contains(Outcomes, o) }

// Result is the outcome of one event with what explains it.
type Result struct {
	Outcome Outcome
	Detail  string        // for people
	Err     error         // of poison and failed
	RetryIn time.Duration // young: when an event is useful again; busy, failed: the delay, zero for the usual one
}

// Delivery is an event with how often the queue has delivered it, this time
// included.
type Delivery struct {
	Event
	Deliveries uint64
	Span       trace.SpanContext // under which it is handled; invalid where nobody traces
}

// Handler decides about batches. It is called by several workers at once.
type Handler interface {
	// Handle decides about events, each file id at most once, and returns one result
	// per event in their order. The queue gives them to nobody else meanwhile.
	//
	// An error means that nothing can be deleted until somebody mends the
	// environment. The results may then be missing: events without one are
	// given back at once and nothing is fetched until Options.Ready agrees.
	Handle(ctx context.Context, events []Delivery) ([]Result, error)

	// Size is how many events the next batch may have.
	Size() int

	// Linger is how long the rest of the next batch may be waited for.
	Linger() time.Duration
}
