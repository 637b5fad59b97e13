package consumer

import (
	"github.com/rs/zerolog"

	"pruned/consumer/event"
)

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

// BatchReport is what became of one batch.
type BatchReport struct {
	Summary
	Outcomes    map[Counted]int // the same outcomes, by what the events were about
	Redelivered int             // of its messages, those that were delivered before
}

// Counted is an outcome of events of one type, which is empty where a message was none.
type Counted struct {
	Type    string
	Outcome event.Outcome
}

// counter returns where an outcome is counted.
func (s *Summary) counter(o event.Outcome) *int {
	switch o {
	case event.Deleted:
		return &s.Deleted
	case event.Gone:
		return &s.Gone
	case event.Kept:
		return &s.Kept
	case event.Young:
		return &s.Young
	case event.Busy:
		return &s.Busy
	case event.Invalid:
		return &s.Invalid
	case event.Poison:
		return &s.Poison
	}
	return &s.Failed
}

// CountOf says how many files had an outcome.
func (s Summary) CountOf(o event.Outcome) int { return *s.counter(o) }

// merge counts another summary in, its duration aside.
func (s *Summary) merge(o Summary) {
	s.Batches += o.Batches
	s.Events += o.Events
	s.Repeated += o.Repeated
	for _, outcome := range event.Outcomes {
		*s.counter(outcome) += *o.counter(outcome)
	}
}

// MarshalZerologObject logs what a summary counted, zeros left out.
func (s Summary) MarshalZerologObject(e *zerolog.Event) {
	e.Int("events", s.Events)
	for _, o := range event.Outcomes {
		if n := *s.counter(o); n > 0 {
			e.Int(string(o), n)
		}
	}
	if s.Repeated > 0 {
		e.Int("repeated", s.Repeated)
	}
}
