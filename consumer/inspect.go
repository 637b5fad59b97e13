package consumer

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/loop"
)

// StreamState is a stream as the server has it.
type StreamState struct {
	Name     string
	Missing  bool // there is none of that name yet
	Messages uint64
	Bytes    uint64
	MaxBytes int64 // zero or less: no limit
	Replicas int
	// Differs are the settings that are not as this program makes streams, by
	// their names in NATS.
	Differs []string
}

// Server is the version of the server that answers.
func (q *Queue) Server() string { return q.nc.ConnectedServerVersion() }

// Streams looks at each stream of the installation.
func (q *Queue) Streams(ctx context.Context) (states []StreamState, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for _, want := range q.wantedStreams() {
		stream, err := q.js.Stream(ctx, want.Name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			states = append(states, StreamState{Name: want.Name, Missing: true})
			continue
		}
		if err != nil {
			return states, fmt.Errorf("looking for stream %s: %w", want.Name, err)
		}
		info := stream.CachedInfo()
		states = append(states, StreamState{
			Name: want.Name, Messages: info.State.Msgs, Bytes: info.State.Bytes,
			MaxBytes: info.Config.MaxBytes, Replicas: info.Config.Replicas, Differs: differences(info.Config, want),
		})
	}
	return states, nil
}

// checkOwner refuses streams of another installation.
func (q *Queue) checkOwner(ctx context.Context) error {
	for _, want := range q.wantedStreams() {
		switch stream, err := q.js.Stream(ctx, want.Name); {
		case errors.Is(err, jetstream.ErrStreamNotFound):
		case err != nil:
			return fmt.Errorf("looking for stream %s: %w", want.Name, err)
		default:
			if err := checkOwned(stream.CachedInfo().Config, want); err != nil {
				return err
			}
		}
	}
	return nil
}

// differences names what of a stream is not as we want it: what the settings speak
// of, and what would lose, refuse or hide events.
func differences(have, want jetstream.StreamConfig) (names []string) {
	next := adaptConfig(have, want)
	if next.MaxMsgs > 0 && want.MaxMsgs <= 0 {
		next.MaxMsgs = -1
	}
	if next.MaxMsgSize > 0 {
		next.MaxMsgSize = -1
	}
	next.NoAck, next.Sealed, next.Mirror, next.SubjectTransform = false, false, nil, nil
	a, b := reflect.ValueOf(have), reflect.ValueOf(next)
	for i := range a.NumField() {
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			names = append(names, a.Type().Field(i).Name)
		}
	}
	return names
}

// Probe says whether every stream stores. It has each store a message, on a subject
// that nobody reads, and removes that again: a server may answer all else while it
// stores nothing any more, as after one write that met a full disk. A stream that is
// missing is none of it: what stores next makes it.
func (q *Queue) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if !q.nc.IsConnected() {
		return fmt.Errorf("asking the queue to store: %w", nats.ErrDisconnected)
	}
	for _, cfg := range q.wantedStreams() {
		if err := q.probeStream(ctx, cfg.Name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("stream %s stores nothing: %w", cfg.Name, err)
		}
	}
	return nil
}

func (q *Queue) probeStream(ctx context.Context, stream string) error {
	s, err := q.js.Stream(ctx, stream)
	if err != nil {
		return err
	}
	ack, err := q.js.PublishMsg(ctx, nats.NewMsg(q.names.probeSubject(stream)+uuid.NewString()), jetstream.WithExpectStream(stream))
	if errors.Is(err, jetstream.ErrNoStreamResponse) {
		return nil // one of an older release, which has no subject for it yet
	}
	if err != nil {
		return storeError(err)
	}
	return s.DeleteMsg(ctx, ack.Sequence)
}

// Between two requests of a daemon there is an instant in which none waits.
const (
	listenerLooks = 5
	listenerPause = 200 * time.Millisecond
)

// IsConsumed says whether some process waits for events or hints just now.
func (q *Queue) IsConsumed(ctx context.Context) (bool, error) {
	for look := range listenerLooks {
		if look > 0 && !loop.Sleep(ctx, listenerPause) {
			return false, ctx.Err()
		}
		for name, stream := range map[string]string{durableName: q.names.stream, hintsName: q.names.hintStream()} {
			waiting, err := q.isWaiting(ctx, stream, name)
			if err != nil || waiting {
				return waiting, err
			}
		}
	}
	return false, nil
}

func (q *Queue) isWaiting(ctx context.Context, stream, name string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	c, err := q.js.Consumer(ctx, stream, name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking who consumes stream %s: %w", stream, err)
	}
	return c.CachedInfo().NumWaiting > 0, nil
}
