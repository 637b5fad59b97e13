package consumer

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/nats-io/nats.go/jetstream"
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
// of, and what would lose, refuse or hide claims.
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
