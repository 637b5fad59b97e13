package consumer

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/event"
)

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
func (n names) deadLetterName(subject string) string { return strings.TrimPrefix(subject, n.deadLetterSubject("")) }

// findDeadLetter finds a dead letter by its name, or by its number.
func (q *Queue) findDeadLetter(ctx context.Context, name string) (jetstream.Stream, *jetstream.RawStreamMsg, error) {
	if !deadLetterForm.MatchString(name) {
		return nil, nil, fmt.Errorf("dead letter %s: %w", event.Quote(name), ErrNoDeadLetter)
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
