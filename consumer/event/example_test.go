package event_test

import (
	"context"
	"fmt"
	"time"

	"pruned/consumer/event"
)

// An event is CloudEvents JSON. Members that are not known are ignored, and the reason,
// which is for people, may be missing.
func ExampleParse() {
	e, err := event.Parse([]byte(`{
		"specversion": "1.0",
		"type":        "pruned.file.orphaned",
		"source":      "my-plugin",
		"id":          "42",
		"subject":     "7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34",
		"data":        {"reason": "its chat was deleted"},
		"priority":    "high"
	}`))
	fmt.Println(err)
	fmt.Println(e.Subject)
	fmt.Println(e.Reason)
	// Output:
	// <nil>
	// 7f3c9a52-8d41-4f7e-9b06-2c5de81f0a34
	// its chat was deleted
}

// An error names the member, shows what it was, and says what was wanted.
func ExampleParse_invalid() {
	for _, payload := range []string{
		`delete everything`,
		`{"specversion": "0.3"}`,
		`{"specversion": "1.0", "type": "pruned.file.orphaned", "source": "s", "id": "1"}`,
		`{"specversion": "1.0", "type": "pruned.file.orphaned", "source": "s", "id": "1", "subject": 7}`,
		`{"specversion": "1.0", "type": "file.deleted", "source": "s", "id": "1", "subject": "f"}`,
		`{"specversion": "1.0", "type": "pruned.file.orphaned", "source": "s", "id": "", "subject": "f"}`,
	} {
		_, err := event.Parse([]byte(payload))
		fmt.Println(err)
	}
	// Output:
	// the event is "delete everything", wanted a JSON object: invalid character 'd' looking for beginning of value
	// specversion is "0.3", wanted "1.0"
	// subject is missing, wanted a text
	// subject is "7", wanted a text
	// type is "file.deleted", wanted "pruned.file.orphaned", "pruned.collection.orphaned" or "pruned.points.orphaned"
	// id is "", wanted a text that is not empty
}

// decider is a Handler that knows two files.
type decider struct{}

func (decider) Size() int { return 100 }

func (decider) Linger() time.Duration { return time.Second }

func (decider) Handle(_ context.Context, events []event.Delivery) ([]event.Result, error) {
	var results []event.Result
	for _, e := range events {
		switch e.Subject {
		case "in-use":
			results = append(results, event.Result{Outcome: event.Kept, Detail: "a chat mentions it"})
		case "locked":
			results = append(results, event.Result{Outcome: event.Busy, Detail: "the application writes its row"})
		default:
			results = append(results, event.Result{Outcome: event.Gone, Detail: "there is no such row"})
		}
	}
	return results, nil
}

// A handler returns a result for each event, in their order. Every outcome but busy and
// failed settles the event for good.
func ExampleHandler() {
	var handler event.Handler = decider{}
	batch := []event.Delivery{
		{Event: event.New("in-use", "my-plugin", ""), Deliveries: 1},
		{Event: event.New("locked", "my-plugin", ""), Deliveries: 3}, // it came twice before
		{Event: event.New("deleted-long-ago", "my-plugin", ""), Deliveries: 1},
	}
	results, err := handler.Handle(context.Background(), batch)
	if err != nil {
		return // nothing can be deleted for now: what has no result is given back
	}
	for i, r := range results {
		fmt.Printf("%s: %s, %s; final: %t\n", batch[i].Subject, r.Outcome, r.Detail, r.Outcome.IsFinal())
	}
	// Output:
	// in-use: kept, a chat mentions it; final: true
	// locked: busy, the application writes its row; final: false
	// deleted-long-ago: gone, there is no such row; final: true
}
