package notify

import (
	"encoding/json"
	"fmt"
	"time"

	"pruned/repo"
)

// The CloudEvents types of what is told.
const (
	SweepHeld  = "pruned.sweep.held"
	DeadLetter = "pruned.event.dead"
)

// Notice is one thing to be told. Its id is the same whenever it is told.
type Notice struct {
	ID      string
	Type    string
	Subject string    // what it is about, if that has an id
	Time    time.Time // when it came to be told
	Data    any
}

// heldData is what is told of a hold.
type heldData struct {
	ID        string         `json:"id"`
	Direction repo.Direction `json:"direction"`
	Found     int64          `json:"found"`
	Total     int64          `json:"total"`
	Command   string         `json:"command"`
}

// ofHold leaves out the store and the reason: both may name a server or a folder.
func ofHold(h repo.Hold) Notice {
	return Notice{ID: h.ID + "/" + string(h.Direction), Type: SweepHeld, Time: time.Now(), Data: heldData{
		ID: h.ID, Direction: h.Direction, Found: h.Found, Total: h.Total, Command: "pruned sweep --confirm " + h.ID,
	}}
}

// deadData is what is told of a dead letter.
type deadData struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"`
	SQLState   string `json:"sqlstate,omitempty"`
	Deliveries uint64 `json:"deliveries"`
	Command    string `json:"command"`
}

// Letter is what is known of a dead letter that may be told: neither its error, which may
// quote what came, nor its payload.
type Letter struct {
	Name, Kind, Subject, SQLState string
	Deliveries                    uint64
	At                            time.Time
}

func ofLetter(l Letter) Notice {
	return Notice{ID: "dead/" + l.Name, Type: DeadLetter, Subject: l.Subject, Time: l.At, Data: deadData{
		Name: l.Name, Kind: l.Kind, SQLState: l.SQLState, Deliveries: l.Deliveries, Command: "pruned dead show " + l.Name,
	}}
}

// encode makes a CloudEvent 1.0 of it, in structured mode.
func (n Notice) encode(source string) ([]byte, error) {
	body, err := json.Marshal(struct {
		Version string `json:"specversion"`
		ID      string `json:"id"`
		Source  string `json:"source"`
		Type    string `json:"type"`
		Subject string `json:"subject,omitempty"`
		Time    string `json:"time"`
		Media   string `json:"datacontenttype"`
		Data    any    `json:"data"`
	}{"1.0", n.ID, source, n.Type, n.Subject, n.Time.UTC().Format(time.RFC3339Nano), "application/json", n.Data})
	if err != nil {
		return nil, fmt.Errorf("encoding notice %s: %w", n.ID, err)
	}
	return body, nil
}
