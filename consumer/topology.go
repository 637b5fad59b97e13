package consumer

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"pruned/consumer/event"
)

// identityKey is the member of a stream's metadata that names its installation.
const identityKey = "pruned.installation"

// Error codes of the server that nats.go does not name.
const (
	codeNoPeers      jetstream.ErrorCode = 10005
	codeNotClustered jetstream.ErrorCode = 10074
	codeOverlap      jetstream.ErrorCode = 10065
	codeNotStored    jetstream.ErrorCode = 10077
)

// hasCode holds if the server answered with one of these codes.
func hasCode(err error, codes ...jetstream.ErrorCode) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode)
}

// ensureStreams makes what is missing and changes what differs.
func (q *Queue) ensureStreams(ctx context.Context) error {
	for _, cfg := range q.wantedStreams() {
		if err := q.ensureStream(ctx, cfg); err != nil {
			return err
		}
	}
	return nil
}

// wantedStreams are the streams, in the order in which they need each other.
func (q *Queue) wantedStreams() []jetstream.StreamConfig {
	configs := []jetstream.StreamConfig{q.eventStream(), q.hintStream(), q.deadLetterStream(), q.controlStream()}
	if q.opts.Deleted {
		configs = append(configs, q.deletedStream())
	}
	if q.schedules {
		configs = append([]jetstream.StreamConfig{q.scheduleStream()}, configs...)
	}
	return configs
}

// eventStream is the stream of events. When it is full it refuses: what nobody has
// read is never dropped.
func (q *Queue) eventStream() jetstream.StreamConfig {
	cfg := q.commonConfig(q.names.stream, q.opts.MaxBytes)
	cfg.Description = "claims: files that may be orphans"
	cfg.Subjects = append(cfg.Subjects, q.names.eventSubjects())
	cfg.Discard = jetstream.DiscardNew
	if q.schedules {
		cfg.Sources = []*jetstream.StreamSource{{
			Name: q.names.scheduleStream(),
			SubjectTransforms: []jetstream.SubjectTransformConfig{
				{Source: q.names.dueSubject(), Destination: q.names.eventSubject("later")},
			},
		}}
	}
	return cfg
}

// scheduleStream is the stream of scheduled events. It is one of its own because a
// server refuses schedules in a stream that refuses messages when it is full (a
// schedule that fires into such a stream is stuck for good: nats-server#8240);
// the stream of events sources what has become due, and waits while it is full.
// Dropping the oldest is bearable here: a sweep finds those files again.
func (q *Queue) scheduleStream() jetstream.StreamConfig {
	cfg := q.commonConfig(q.names.scheduleStream(), q.opts.MaxBytes/4)
	cfg.Description = "claims that become useful later"
	cfg.Subjects = append(cfg.Subjects, q.names.scheduleSubjects(), q.names.dueSubject())
	cfg.Discard = jetstream.DiscardOld
	cfg.AllowMsgSchedules = true
	cfg.AllowRollup = true // a schedule replaces the one before it
	return cfg
}

// hintStream is the stream of hints. It is one of its own because hints wait for a
// sweep, and a sweep for room among the events. The oldest give way: one that is
// left asks for the same sweep.
func (q *Queue) hintStream() jetstream.StreamConfig {
	cfg := q.commonConfig(q.names.hintStream(), q.opts.MaxBytes/4)
	cfg.Description = "hints: something changed"
	cfg.Subjects = append(cfg.Subjects, q.names.hintSubjects())
	cfg.Discard = jetstream.DiscardOld
	cfg.MaxMsgs = maxHints
	return cfg
}

// deadLetterStream is the stream of dead letters, one message per subject.
func (q *Queue) deadLetterStream() jetstream.StreamConfig {
	cfg := q.commonConfig(q.names.deadLetterStream(), q.opts.MaxBytes/4)
	cfg.Description = "dead letters: claims that can never succeed"
	cfg.Subjects = append(cfg.Subjects, q.names.deadLetterSubjects())
	cfg.Discard = jetstream.DiscardNew
	cfg.DiscardNewPerSubject = true
	cfg.MaxMsgsPerSubject = 1
	return cfg
}

// deletedStream is the stream of what was deleted, for others. The oldest give way: nothing
// of ours waits for its readers.
func (q *Queue) deletedStream() jetstream.StreamConfig {
	cfg := q.commonConfig(q.names.deletedStream(), q.opts.MaxBytes/4)
	cfg.Description = "what was deleted"
	cfg.Subjects = append(cfg.Subjects, q.names.deletedSubjects())
	cfg.Discard = jetstream.DiscardOld
	return cfg
}

func (q *Queue) commonConfig(name string, maxBytes int64) jetstream.StreamConfig {
	window := 2 * time.Minute
	if q.opts.Retention > 0 {
		window = min(window, q.opts.Retention)
	}
	if maxBytes <= 0 {
		maxBytes = -1
	}
	return jetstream.StreamConfig{
		Name:              name,
		Subjects:          []string{q.names.probeSubject(name) + "*"},
		Storage:           jetstream.FileStorage,
		Retention:         jetstream.LimitsPolicy,
		MaxAge:            q.opts.Retention,
		MaxBytes:          maxBytes,
		MaxMsgsPerSubject: -1,
		Duplicates:        window,
		Metadata:          map[string]string{identityKey: q.opts.Installation},
	}
}

func (q *Queue) ensureStream(ctx context.Context, want jetstream.StreamConfig) error {
	find := func(ctx context.Context) (jetstream.Stream, error) { return q.js.Stream(ctx, want.Name) }
	stream, err := askAgain(ctx, find)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = q.createStream(ctx, want)
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return err
		}
		// Somebody was faster.
		stream, err = askAgain(ctx, find)
	}
	if err != nil {
		return fmt.Errorf("looking for stream %s: %w", want.Name, err)
	}
	return q.adaptStream(ctx, stream.CachedInfo().Config, want)
}

// createStream makes a stream with three replicas where the cluster can, else with one.
func (q *Queue) createStream(ctx context.Context, cfg jetstream.StreamConfig) error {
	tries := []int{3, 1}
	if q.opts.Embedded {
		tries = []int{1}
	}
	var err error
	for _, cfg.Replicas = range tries {
		_, err = askAgain(ctx, func(ctx context.Context) (jetstream.Stream, error) { return q.js.CreateStream(ctx, cfg) })
		if !hasCode(err, codeNoPeers, codeNotClustered) {
			break
		}
	}
	if hasCode(err, codeOverlap) {
		return q.overlapError(ctx, cfg)
	}
	if err != nil {
		return fmt.Errorf("creating stream %s: %w", cfg.Name, err)
	}
	q.opts.Log.Info().Str("stream", cfg.Name).Int("replicas", cfg.Replicas).Msg("stream created")
	return nil
}

// overlapError names the stream that has the subjects of one that cannot be made.
func (q *Queue) overlapError(ctx context.Context, cfg jetstream.StreamConfig) error {
	other := "another stream"
	for _, subject := range cfg.Subjects {
		if name, err := q.js.StreamNameBySubject(ctx, subject); err == nil {
			other = "stream " + name
			break
		}
	}
	return fmt.Errorf("stream %s cannot be made: %s has its subjects already, %s (names that differ only in case share them): %w",
		cfg.Name, other, strings.Join(cfg.Subjects, ", "), ErrForeign)
}

// adaptStream changes an existing stream of this installation to what is wanted, and
// leaves alone what the settings do not speak of.
func (q *Queue) adaptStream(ctx context.Context, have, want jetstream.StreamConfig) error {
	if err := checkOwned(have, want); err != nil {
		return err
	}
	next := adaptConfig(have, want)
	if reflect.DeepEqual(have, next) {
		return nil
	}
	if _, err := q.js.UpdateStream(ctx, next); err != nil {
		return fmt.Errorf("changing stream %s to what the settings want (delete it, or set PRUNED_STREAM to another name, if that cannot be): %w", want.Name, err)
	}
	q.opts.Log.Info().Str("stream", want.Name).Msg("stream changed to what the settings want")
	return q.purgeOldHints(ctx, have, want)
}

// purgeOldHints removes from the stream of events the hints of older releases, which
// kept them there: nobody reads them any more, and their consumer would keep what
// is settled from giving way to new events. A sweep at the start is for them all.
func (q *Queue) purgeOldHints(ctx context.Context, have, want jetstream.StreamConfig) error {
	if want.Name != q.names.stream || !slices.Contains(have.Subjects, q.names.hintSubjects()) {
		return nil
	}
	if err := q.js.DeleteConsumer(ctx, want.Name, hintsName); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("deleting consumer %s of stream %s: %w", hintsName, want.Name, err)
	}
	stream, err := q.js.Stream(ctx, want.Name)
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSubject(q.names.hintSubjects()))
	}
	if err != nil {
		return fmt.Errorf("purging the hints of stream %s: %w", want.Name, err)
	}
	return nil
}

// checkOwned refuses a stream of another installation.
func checkOwned(have, want jetstream.StreamConfig) error {
	if owner := have.Metadata[identityKey]; owner != want.Metadata[identityKey] {
		return fmt.Errorf("stream %s belongs to another installation (%s, this is %s); a database that was copied, moved or restored is another too. "+
			"First see that DATABASE_URL, DATA_DIR and the vector store are this installation's own: beside another one's a sweep takes what only that one has for unused. "+
			"Then %w; sweeps find again what the stream held",
			want.Name, event.QuoteText(owner), event.QuoteText(want.Metadata[identityKey]), ErrForeign)
	}
	return nil
}

// adaptConfig is an existing stream's configuration with what the settings speak of
// as they want it.
func adaptConfig(have, want jetstream.StreamConfig) jetstream.StreamConfig {
	next := have
	next.Description = want.Description
	next.Subjects = want.Subjects
	next.Sources = want.Sources
	next.Storage = want.Storage
	next.Retention = want.Retention
	next.MaxAge = want.MaxAge
	next.MaxBytes = want.MaxBytes
	if want.MaxMsgs > 0 {
		next.MaxMsgs = want.MaxMsgs
	}
	next.MaxMsgsPerSubject = want.MaxMsgsPerSubject
	next.Discard = want.Discard
	next.DiscardNewPerSubject = want.DiscardNewPerSubject
	next.Duplicates = want.Duplicates
	next.AllowMsgSchedules = want.AllowMsgSchedules
	next.AllowRollup = want.AllowRollup
	return next
}

// Remove deletes the streams with everything in them.
func (q *Queue) Remove(ctx context.Context) error {
	for _, name := range []string{q.names.stream, q.names.scheduleStream(), q.names.hintStream(), q.names.deadLetterStream(), q.names.deletedStream(), q.names.controlStream()} {
		if err := q.js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("deleting stream %s: %w", name, err)
		}
	}
	return nil
}

// withStreams makes the streams again if one has gone under fn, and lets fn try
// once more.
func (q *Queue) withStreams(ctx context.Context, fn func() error) error {
	err := fn()
	if !errors.Is(err, jetstream.ErrNoStreamResponse) && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	q.opts.Log.Warn().Err(err).Msg("a stream does not answer, making sure that it exists")
	if made := q.ensureStreams(ctx); made != nil {
		return errors.Join(err, made)
	}
	return fn()
}
