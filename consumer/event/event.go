package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// The CloudEvents types of orphan events, by what their subject is: the id of a file, the
// name of a collection of vectors, or that of a collection, a slash, and the id of a point
// in it.
const (
	FileOrphaned       = "pruned.file.orphaned"
	CollectionOrphaned = "pruned.collection.orphaned"
	PointsOrphaned     = "pruned.points.orphaned"
)

// The CloudEvents types of what was deleted.
const (
	FileDeleted       = "pruned.file.deleted"
	CollectionDeleted = "pruned.collection.deleted"
	PointsDeleted     = "pruned.points.deleted"
)

const (
	specVersion = "1.0"
	maxPayload  = 64 << 10 // bytes of an event
	MaxMember   = 1 << 10  // bytes of id, source and subject
)

// Event is an orphan event: what its subject names may be an orphan. It is no order.
type Event struct {
	ID      string // with Source unique
	Source  string
	Type    string
	Subject string    // the file id, or what else its type says
	Time    time.Time // zero where the producer gave none
	Reason  string
}

// New returns an event about a file with an id that nobody used before.
func New(fileID, source, reason string) Event {
	return NewOf(FileOrphaned, fileID, source, reason)
}

// NewOf returns an event of any type with an id that nobody used before.
func NewOf(typ, subject, source, reason string) Event {
	return Event{
		ID:      uuid.NewString(),
		Source:  source,
		Type:    typ,
		Subject: subject,
		Time:    time.Now().UTC(),
		Reason:  CleanText(reason),
	}
}

// Sequence yields events that are there, to those who publish more than can be.
func Sequence(events ...Event) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Key tells what the event is about from everything that another may be about. That of a
// file is its id.
func (e Event) Key() string {
	if e.Type == FileOrphaned {
		return e.Subject
	}
	return e.Type + "/" + e.Subject
}

// MsgID is what the stream knows duplicates by: another for each pair of source and id. It is
// short, since a server keeps those of the last two minutes in memory.
func (e Event) MsgID() string {
	sum := sha256.Sum256([]byte(url.QueryEscape(e.Source) + "/" + e.ID))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Encode returns the event as CloudEvents 1.0 JSON.
func (e Event) Encode() []byte {
	out := map[string]any{
		"specversion": specVersion,
		"id":          e.ID,
		"source":      e.Source,
		"type":        e.Type,
		"subject":     e.Subject,
	}
	if !e.Time.IsZero() {
		out["time"] = e.Time.UTC().Format(time.RFC3339Nano)
	}
	if e.Reason != "" {
		out["data"] = map[string]string{"reason": e.Reason}
	}
	payload, err := json.Marshal(out)
	if err != nil {
		panic(fmt.Sprintf("an event of strings cannot be encoded: %v", err))
	}
	return payload
}

// Validate says what is wrong with an event: the member, its value, and what
// was wanted.
func (e Event) Validate() error {
	switch e.Type {
	case FileOrphaned, CollectionOrphaned, PointsOrphaned:
	default:
		return fmt.Errorf("type is %s, wanted %q, %q or %q", QuoteText(e.Type), FileOrphaned, CollectionOrphaned, PointsOrphaned)
	}
	members := []struct{ name, value string }{{"id", e.ID}, {"source", e.Source}, {"subject", e.Subject}}
	for _, m := range members {
		if err := ValidateText(m.value); err != nil {
			return fmt.Errorf("%s is %s, %w", m.name, QuoteText(m.value), err)
		}
	}
	if collection, point, _ := strings.Cut(e.Subject, "/"); e.Type == PointsOrphaned && (collection == "" || point == "") {
		return fmt.Errorf("subject is %s, wanted a collection, a slash, and the id of a point", QuoteText(e.Subject))
	}
	return nil
}

// ValidateText holds for what PostgreSQL can store as text and an index can carry.
func ValidateText(s string) error {
	switch {
	case s == "":
		return errors.New("wanted a text that is not empty")
	case len(s) > MaxMember:
		return fmt.Errorf("wanted at most %d bytes, not %d", MaxMember, len(s))
	case strings.ContainsRune(s, 0):
		return errors.New("wanted a text without NUL")
	case !utf8.ValidString(s), strings.ContainsRune(s, utf8.RuneError):
		return errors.New("wanted valid UTF-8")
	}
	return nil
}

// Parse reads an event. Members that it does not know are ignored.
func Parse(payload []byte) (Event, error) {
	if len(payload) > maxPayload {
		return Event{}, fmt.Errorf("the event has %d bytes, wanted at most %d", len(payload), maxPayload)
	}
	if !utf8.Valid(payload) {
		return Event{}, errors.New("the event is not valid UTF-8, wanted JSON")
	}
	// A map, because encoding/json would take SUBJECT for subject in a struct.
	var members map[string]json.RawMessage
	if err := json.Unmarshal(payload, &members); err != nil {
		return Event{}, fmt.Errorf("the event is %s, wanted a JSON object: %w", QuoteText(string(payload)), err)
	}
	if err := checkVersion(members); err != nil {
		return Event{}, err
	}
	e := Event{Reason: readReason(members["data"])}
	err := errors.Join(
		readText(members, "id", &e.ID),
		readText(members, "source", &e.Source),
		readText(members, "type", &e.Type),
		readText(members, "subject", &e.Subject),
		readTime(members, &e.Time),
	)
	if err == nil {
		err = e.Validate()
	}
	if err != nil {
		return Event{}, err
	}
	return e, nil
}

func checkVersion(members map[string]json.RawMessage) error {
	var version string
	if err := readText(members, "specversion", &version); err != nil {
		return err
	}
	if version != specVersion {
		return fmt.Errorf("specversion is %s, wanted %q", QuoteText(version), specVersion)
	}
	return nil
}

func readText(members map[string]json.RawMessage, name string, into *string) error {
	raw, ok := members[name]
	if !ok {
		return fmt.Errorf("%s is missing, wanted a text", name)
	}
	// A text without escapes is what it looks like; most are.
	if n := len(raw) - 1; n > 0 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 {
		*into = string(raw[1:n])
		return nil
	}
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return fmt.Errorf("%s is %s, wanted a text", name, QuoteText(string(raw)))
	}
	*into = *s
	return nil
}

func readTime(members map[string]json.RawMessage, into *time.Time) error {
	raw, ok := members["time"]
	if !ok || string(raw) == "null" {
		return nil
	}
	var s string
	if err := readText(members, "time", &s); err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return fmt.Errorf("time is %s, wanted RFC 3339", QuoteText(s))
	}
	*into = at
	return nil
}

// readReason is what data.reason says. Data belongs to the producer: whatever else
// it is, it makes no event invalid, and nothing in it may keep the ledger from
// taking the row.
func readReason(data json.RawMessage) string {
	var d struct {
		Reason string `json:"reason"`
	}
	if json.Unmarshal(data, &d) != nil {
		return ""
	}
	return CleanText(d.Reason)
}

// CleanText makes of any text one that a ledger can hold.
func CleanText(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
	if len(s) > MaxMember {
		s = strings.ToValidUTF8(s[:MaxMember], "")
	}
	return s
}

// QuoteText shows a foreign text: short, on one line.
func QuoteText(s string) string {
	const most = 80
	if len(s) > most {
		return fmt.Sprintf("%q...", strings.ToValidUTF8(s[:most], ""))
	}
	return fmt.Sprintf("%q", s)
}
