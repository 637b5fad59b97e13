package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"pruned/consumer/event"
)

const (
	// source is the producer that events of this package name.
	source = "openwebui"
	// fileDeleted is the one event that names a file whose row is gone. That a
	// file left a knowledge base says less: somebody may be moving it.
	fileDeleted = "file.deleted"

	maxText = 256      // bytes of an id or of an event's name; both are short
	maxHint = 64 << 10 // bytes of a hint that is worth keeping as it came
)

// notification is what a body says, as far as anybody here needs it.
type notification struct {
	id      string
	name    string
	file    string // a file that was deleted, else empty
	created time.Time
	body    []byte
}

// parse reads a body as Open WebUI 0.10 and later send it (events.py, class
// Event). Members that it does not know are ignored.
func parse(body []byte) (notification, error) {
	if !utf8.Valid(body) {
		return notification{}, errors.New("the body is not UTF-8")
	}
	// A map, because encoding/json would take ID for id in a struct.
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return notification{}, errors.New("the body is not a JSON object")
	}
	e := notification{created: instant(members["created_at"]), body: body}
	var err error
	if e.id, err = text(members, "id"); err != nil {
		return notification{}, err
	}
	if e.name, err = text(members, "event"); err != nil {
		return notification{}, err
	}
	subject, err := subjectOf(members["subject"])
	if err != nil || e.name != fileDeleted || isNull(subject["id"]) {
		return e, err
	}
	if e.file, err = text(subject, "id"); err != nil {
		return notification{}, fmt.Errorf("subject: %w", err)
	}
	return e, nil
}

// subjectOf is what the event is about; nil where it is about nothing.
func subjectOf(raw json.RawMessage) (subject map[string]json.RawMessage, err error) {
	if isNull(raw) {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &subject); err != nil {
		return nil, errors.New("subject is not an object")
	}
	return subject, nil
}

func isNull(raw json.RawMessage) bool { return raw == nil || string(raw) == "null" }

// text is a member that must be there, short, and such as a database can store.
func text(members map[string]json.RawMessage, name string) (string, error) {
	var s string
	switch raw := members[name]; {
	case isNull(raw):
		return "", fmt.Errorf("%s is missing", name)
	case json.Unmarshal(raw, &s) != nil:
		return "", fmt.Errorf("%s is not a text", name)
	case s == "", len(s) > maxText:
		return "", fmt.Errorf("%s has %d bytes, wanted 1 to %d", name, len(s), maxText)
	case strings.ContainsRune(s, 0), strings.ContainsRune(s, utf8.RuneError):
		return "", fmt.Errorf("%s is not a text that can be stored", name)
	}
	return s, nil
}

// endOfTime is the last second that RFC 3339 can write.
var endOfTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()

// instant is a number of seconds; zero where it is anything else: nothing
// depends on it.
func instant(raw json.RawMessage) time.Time {
	var seconds int64
	if json.Unmarshal(raw, &seconds) != nil || seconds <= 0 || seconds > endOfTime {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// event is what a deleted file becomes.
func (e notification) orphanEvent() event.Event {
	return event.Event{
		ID: e.id, Source: source, Type: event.FileOrphaned,
		Subject: e.file, Time: e.created, Reason: e.name,
	}
}

// hint is the body as it came, or the little that matters of a long one: a hint
// says only that something changed, and must fit into a message of any queue.
func (e notification) hint() []byte {
	if len(e.body) <= maxHint {
		return e.body
	}
	short, err := json.Marshal(map[string]any{"id": e.id, "event": e.name, "shortened": true})
	if err != nil {
		panic(fmt.Sprintf("texts cannot be encoded: %v", err))
	}
	return short
}
