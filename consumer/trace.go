package consumer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"pruned/repo/trace"
)

const traceStore = "queue"

var _ trace.Searcher = (*Queue)(nil)

// Trace searches the subjects, headers and payloads of every stream, without consuming.
// A stream that is not there holds nothing; that of what was deleted may be left of a time
// when the settings wanted it.
func (q *Queue) Trace(ctx context.Context, s *trace.Search) error {
	streams := q.wantedStreams()
	if !q.opts.Deleted {
		streams = append(streams, q.deletedStream())
	}
	for _, stream := range streams {
		switch err := q.traceStream(ctx, s, stream.Name); {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, jetstream.ErrStreamNotFound):
		case err != nil:
			s.NoteGap(traceStore, stream.Name, err)
		default:
			s.NoteSearched(traceStore, stream.Name)
		}
	}
	return nil
}

func (q *Queue) traceStream(ctx context.Context, s *trace.Search, stream string) error {
	seen := int64(0)
	for msg, err := range q.readStream(ctx, stream, jetstream.ConsumerConfig{}) {
		if err != nil {
			return err
		}
		if err := traceMessage(s, stream, msg); err != nil {
			return err
		}
		seen++
		s.Progress(traceStore+" "+stream, seen, 0)
	}
	return nil
}

func traceMessage(s *trace.Search, stream string, msg jetstream.Msg) error {
	meta, err := msg.Metadata()
	if err != nil {
		return fmt.Errorf("reading a message of stream %s: %w", stream, err)
	}
	// Subjects name ids that are no tokens in base64.
	subject := s.Count([]byte(msg.Subject()))
	if token := subjectToken(s.ID); token != s.ID {
		subject += int64(strings.Count(msg.Subject(), token))
	}
	header := int64(0)
	for key, values := range msg.Headers() {
		header += s.Count([]byte(key + ": " + strings.Join(values, "\n")))
	}
	for _, part := range []struct {
		name  string
		count int64
	}{{"subject", subject}, {"header", header}, {"payload", s.Count(msg.Data())}} {
		place := trace.Place{Store: traceStore, Table: stream, Row: strconv.FormatUint(meta.Sequence.Stream, 10), Column: part.name, Count: part.count}
		if err := s.AddCount(place); err != nil {
			return err
		}
	}
	return nil
}
