package consumer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/event"
	"pruned/repo"
)

// ErrNoDeadLetter: there is no dead letter of that name.
var ErrNoDeadLetter = errors.New("no such dead letter")

const (
	deadLetterHeader = "Pruned-Letter"
	maxDeadLetter    = 512 << 10 // bytes of a payload that are kept; larger ones were never events
	maxError         = 8 << 10   // bytes of an error that are kept
)

// DeadLetter is an event that can never succeed.
type DeadLetter struct {
	Name       string    `json:"name"` // tells it from every other, also of a stream that was made again
	Seq        uint64    `json:"seq"`  // of the event in its stream
	FileID     string    `json:"file_id"`
	Kind       string    `json:"kind"` // Invalid or Poison
	Error      string    `json:"error"`
	SQLState   string    `json:"sqlstate"`
	Deliveries uint64    `json:"deliveries"`
	At         time.Time `json:"at"`
	Payload    []byte    `json:"-"` // as it came
}

// StoreDeadLetter stores a dead letter. One that is stored already stays as it is, which
// is success: a crash between that and the message's end makes it come again.
func (q *Queue) StoreDeadLetter(ctx context.Context, d DeadLetter) error {
	msg, err := q.encodeDeadLetter(d)
	if err != nil {
		return err
	}
	return q.withStreams(ctx, func() error {
		_, err := q.js.PublishMsg(ctx, msg, jetstream.WithRetryAttempts(retries), jetstream.WithRetryWait(retryWait))
		if hasCode(err, codeNotStored) && q.deadLetterExists(ctx, msg.Subject) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("storing dead letter %s: %w", d.Name, storeError(err))
		}
		return nil
	})
}

// encodeDeadLetter makes the message of a dead letter: the payload as it came, the rest
// in a header, so that a list can be had without payloads.
func (q *Queue) encodeDeadLetter(d DeadLetter) (*nats.Msg, error) {
	if len(d.Error) > maxError {
		d.Error = strings.ToValidUTF8(d.Error[:maxError], "")
	}
	head, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encoding dead letter %s: %w", d.Name, err)
	}
	msg := nats.NewMsg(q.names.deadLetterSubject(d.Name))
	msg.Header.Set(deadLetterHeader, string(head))
	msg.Data = d.Payload[:min(len(d.Payload), maxDeadLetter)]
	return msg, nil
}

// deadLetter makes the dead letter of an event.
func (m *message) deadLetter() DeadLetter {
	why := m.result.Detail
	if m.result.Err != nil {
		why = m.result.Err.Error()
	}
	return DeadLetter{
		Name:       newDeadLetterName(m.meta.Sequence.Stream, m.meta.Timestamp),
		Seq:        m.meta.Sequence.Stream,
		FileID:     m.event.Subject,
		Kind:       string(m.result.Outcome),
		Error:      why,
		SQLState:   repo.SQLState(m.result.Err),
		Deliveries: m.meta.NumDelivered,
		At:         time.Now().UTC(),
		Payload:    m.msg.Data(),
	}
}

// deadLetterExists tells the refusal of a second dead letter from that of a full stream;
// the server has one code for both.
func (q *Queue) deadLetterExists(ctx context.Context, subject string) bool {
	s, err := q.js.Stream(ctx, q.names.deadLetterStream())
	if err != nil {
		return false
	}
	_, err = s.GetLastMsgForSubject(ctx, subject)
	return err == nil
}

// DeadLetters lists the dead letters, oldest first, without their payloads.
func (q *Queue) DeadLetters(ctx context.Context) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		for msg, err := range q.readStream(ctx, q.names.deadLetterStream(), jetstream.ConsumerConfig{FilterSubject: q.names.deadLetterSubjects(), HeadersOnly: true}) {
			var d DeadLetter
			if err == nil {
				d, err = q.decodeDeadLetter(msg.Subject(), msg.Headers())
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

func (q *Queue) decodeDeadLetter(subject string, head nats.Header) (DeadLetter, error) {
	var d DeadLetter
	if err := json.Unmarshal([]byte(head.Get(deadLetterHeader)), &d); err != nil {
		return d, fmt.Errorf("the message on %s is no dead letter of ours: %w", subject, err)
	}
	d.Name = q.names.deadLetterName(subject)
	return d, nil
}

// DeadLetter returns one with its payload. Its number is name enough where no
// other one has it.
func (q *Queue) DeadLetter(ctx context.Context, name string) (DeadLetter, error) {
	_, raw, err := q.findDeadLetter(ctx, name)
	if err != nil {
		return DeadLetter{}, err
	}
	d, err := q.decodeDeadLetter(raw.Subject, raw.Header)
	d.Payload = raw.Data
	return d, err
}

// Redrive publishes the events of dead letters again, under fresh ids, and only
// then removes them; with no names, those of all that are events. It goes on
// after one that cannot be redriven, and returns how many were.
func (q *Queue) Redrive(ctx context.Context, names ...string) (int, error) {
	if len(names) == 0 {
		for d, err := range q.DeadLetters(ctx) {
			if err != nil {
				return 0, err
			}
			if d.Kind == string(event.Poison) {
				names = append(names, d.Name)
			}
		}
	}
	var done int
	var failed error
	for _, name := range names {
		if err := q.redriveOne(ctx, name); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		done++
	}
	return done, failed
}

func (q *Queue) redriveOne(ctx context.Context, name string) error {
	stream, raw, err := q.findDeadLetter(ctx, name)
	if err != nil {
		return err
	}
	e, err := event.Parse(raw.Data)
	if err != nil {
		return fmt.Errorf("dead letter %s was never an event, it can only be purged: %w", name, err)
	}
	e.ID, e.Time = uuid.NewString(), time.Now().UTC()
	if _, err := q.Publish(ctx, event.Sequence(e), nil); err != nil {
		return fmt.Errorf("redriving dead letter %s: %w", name, err)
	}
	if err := stream.DeleteMsg(ctx, raw.Sequence); err != nil {
		return fmt.Errorf("dead letter %s is redriven, but could not be removed: %w", name, err)
	}
	return nil
}

// PurgeDeadLetters removes all dead letters and returns how many there were.
func (q *Queue) PurgeDeadLetters(ctx context.Context) (uint64, error) {
	s, err := q.js.Stream(ctx, q.names.deadLetterStream())
	if err != nil {
		return 0, fmt.Errorf("looking for stream %s: %w", q.names.deadLetterStream(), err)
	}
	state := s.CachedInfo().State
	if state.Msgs == 0 {
		return 0, nil
	}
	if err := s.Purge(ctx, jetstream.WithPurgeSequence(state.LastSeq+1)); err != nil {
		return 0, fmt.Errorf("purging stream %s: %w", q.names.deadLetterStream(), err)
	}
	return state.Msgs, nil
}

// newDeadLetterName names the dead letter of a message by its number and the instant at
// which its stream stored it. The number alone comes again where the stream is
// made again while the stream of dead letters stays: the refusal of a second
// letter of that name would be taken for success, and the payload be lost.
func newDeadLetterName(seq uint64, stored time.Time) string {
	return strconv.FormatUint(seq, 10) + "." + strconv.FormatInt(stored.UnixNano(), 36)
}

// deadLetterForm also lets through the names of releases that had no instant in them.
var deadLetterForm = regexp.MustCompile(`^[0-9]{1,20}(\.[0-9a-z-]{1,16})?$`)

// deadLetterName is the name of the dead letter on a subject.
func (n names) deadLetterName(subject string) string {
	return strings.TrimPrefix(subject, n.deadLetterSubject(""))
}

// findDeadLetter finds a dead letter by its name, or by its number.
func (q *Queue) findDeadLetter(ctx context.Context, name string) (jetstream.Stream, *jetstream.RawStreamMsg, error) {
	if !deadLetterForm.MatchString(name) {
		return nil, nil, fmt.Errorf("dead letter %s: %w", event.QuoteText(name), ErrNoDeadLetter)
	}
	s, err := q.js.Stream(ctx, q.names.deadLetterStream())
	if err != nil {
		return nil, nil, fmt.Errorf("looking for stream %s: %w", q.names.deadLetterStream(), err)
	}
	if !strings.Contains(name, ".") {
		if name, err = q.findByNumber(ctx, s, name); err != nil {
			return nil, nil, err
		}
	}
	raw, err := s.GetLastMsgForSubject(ctx, q.names.deadLetterSubject(name))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil, fmt.Errorf("dead letter %s: %w", name, ErrNoDeadLetter)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading dead letter %s: %w", name, err)
	}
	return s, raw, nil
}

// findByNumber is the name of the one dead letter that has a number. That of an older
// release is the number.
func (q *Queue) findByNumber(ctx context.Context, s jetstream.Stream, seq string) (string, error) {
	found := []string{}
	for _, subject := range []string{q.names.deadLetterSubject(seq), q.names.deadLetterSubject(seq + ".*")} {
		info, err := s.Info(ctx, jetstream.WithSubjectFilter(subject))
		if err != nil {
			return "", fmt.Errorf("looking for dead letter %s: %w", seq, err)
		}
		for subject := range info.State.Subjects {
			found = append(found, q.names.deadLetterName(subject))
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("dead letter %s: %w", seq, ErrNoDeadLetter)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("several dead letters have the number %s, wanted one of %s", seq, strings.Join(found, ", "))
}
