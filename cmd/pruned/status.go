package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"pruned/config/secret"
	"pruned/consumer"
	"pruned/consumer/loop"
	"pruned/repo"
	"pruned/vectors"
)

type statusCmd struct {
	Watch bool `short:"w" help:"Look again every two seconds, until it is interrupted."`
}

// statusEvery is the pause between two looks of --watch.
const statusEvery = 2 * time.Second

var errIncomplete = errors.New("not everything could be read")

// status is one look at an installation. What could not be read is missing, and its error
// is told in its place.
type status struct {
	At       time.Time         `json:"at"`
	Database databaseStatus    `json:"database"`
	Stores   []storeStatus     `json:"stores"`
	Daemon   *daemonStatus     `json:"daemon,omitempty"`
	Found    []foundStatus     `json:"found"`
	DueIn    *float64          `json:"due_next_s,omitempty"` // missing where nothing waits to become due
	Held     []repo.Hold       `json:"held"`
	Waiting  []waitingStatus   `json:"waiting"`
	Trash    *trashStatus      `json:"trash,omitempty"`
	Freed    *freedStatus      `json:"freed,omitempty"`
	Queue    *queueStatus      `json:"queue,omitempty"`
	Errors   map[string]string `json:"errors"` // by what could not be read

	fresh bool // pruned has not run here yet
}

type databaseStatus struct {
	Name string `json:"name,omitempty"`
	URL  string `json:"url"` // without a password
}

type storeStatus struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Bound bool   `json:"bound"` // to this installation
}

type foundStatus struct {
	Direction repo.Direction `json:"direction"`
	Count     int64          `json:"count"`
	Bytes     int64          `json:"bytes"`  // as far as known
	Chunks    int64          `json:"chunks"` // likewise
	Oldest    float64        `json:"oldest_s"`
}

type waitingStatus struct {
	Kind    string  `json:"kind"`
	Count   int64   `json:"count"`
	DueIn   float64 `json:"due_in_s"`
	Retried int64   `json:"retried"`
	Reason  string  `json:"reason,omitempty"`
}

// trashStatus is what can be restored.
type trashStatus struct {
	Files  int64   `json:"files"`
	Bytes  int64   `json:"bytes"` // that stay for it, as far as known
	Oldest float64 `json:"oldest_s"`
}

// freedStatus is what the ledger tells.
type freedStatus struct {
	Files  int64      `json:"files"`
	Rest   int64      `json:"leftovers"` // objects of files that had no row
	Minute int64      `json:"last_minute"`
	Hour   int64      `json:"last_hour"`
	Day    int64      `json:"last_day"`
	Since  *time.Time `json:"since,omitempty"`
}

type queueStatus struct {
	Stream      string  `json:"stream"`
	Pending     uint64  `json:"pending"`
	Unacked     uint64  `json:"unacked"`
	Oldest      float64 `json:"oldest_s"`
	DeadLetters uint64  `json:"dead_letters"`
	Absent      bool    `json:"absent"` // it was not made yet

	Control consumer.Control `json:"control"`
	Work    string           `json:"work"` // whether it goes on, and how fast, in words
}

// Run looks once, or again and again. It changes nothing and makes nothing: what is missing
// before the first run is told.
func (r *statusCmd) Run(ctx *runContext) error {
	for {
		s, err := ctx.lookAround(ctx)
		if err == nil {
			err = ctx.showStatus(s, r.Watch)
		}
		switch {
		case r.Watch && ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case !r.Watch && len(s.Errors) > 0:
			return errIncomplete
		case !r.Watch || !loop.Sleep(ctx, statusEvery):
			return nil
		}
	}
}

// lookAround looks at each part. It opens them anew each time: an embedded queue that it
// kept open would keep a daemon from starting.
func (c *command) lookAround(ctx context.Context) (*status, error) {
	s := &status{
		At: time.Now().UTC().Truncate(time.Second), Database: databaseStatus{URL: secret.Redact(string(c.cli.Database.URL))},
		Stores: []storeStatus{}, Found: []foundStatus{}, Held: []repo.Hold{}, Waiting: []waitingStatus{}, Errors: map[string]string{},
	}
	err := c.runWith(ctx, func(a *app) error {
		if err := openDatabase(ctx, c, a); err != nil {
			s.Errors["database"] = oneLine(err) // by which all others are known
			return nil
		}
		s.Database.Name = a.db.Identity().Name
		has, err := a.db.HasOwnTables(ctx)
		s.noteError("database", err)
		s.fresh = err == nil && !has
		for _, part := range []struct {
			name string
			read func(context.Context, *command, *app) error
		}{
			{"vectors", s.readVectors}, {"uploads", s.readUploads}, {"daemon", s.readDaemon},
			{"found", s.readFound}, {"due", s.readDue}, {"held", s.readHeld}, {"waiting", s.readWaiting}, {"trash", s.readTrash}, {"freed", s.readFreed},
			{"queue", s.readQueue},
		} {
			s.noteError(part.name, part.read(ctx, c, a))
		}
		return nil
	})
	return s, err
}

func (s *status) noteError(part string, err error) {
	if err != nil {
		s.Errors[part] = oneLine(err)
	}
}

func (s *status) readVectors(ctx context.Context, c *command, a *app) error {
	if err := openVectorStore(ctx, c, a); err != nil {
		return err
	}
	if _, none := a.store.(vectors.None); none {
		return nil
	}
	return s.readStore(ctx, a, repo.Vectors, repo.StoreInfo(a.store.Info()))
}

// readUploads looks for one object, of a file that nobody has: a check of the store would
// write.
func (s *status) readUploads(ctx context.Context, c *command, a *app) error {
	if err := makeByteStore(ctx, c, a); err != nil {
		return err
	}
	if _, _, err := a.blobs.Stat(ctx, uuid.NewString()); err != nil {
		return err
	}
	return s.readStore(ctx, a, repo.Bytes, a.blobs.Info())
}

// readStore asks whether anything in a store may be removed. Before the first run nobody
// has said so.
func (s *status) readStore(ctx context.Context, a *app, kind string, info repo.StoreInfo) (err error) {
	store := storeStatus{Kind: kind, Name: placeOf(info)}
	if !s.fresh {
		store.Bound, err = repo.IsApproved(ctx, a.db, nil, info)
	}
	s.Stores = append(s.Stores, store)
	return err
}

func (s *status) readFound(ctx context.Context, _ *command, a *app) error {
	if s.fresh {
		return nil
	}
	sums, err := a.db.SumCandidates(ctx)
	for _, sum := range sums {
		s.Found = append(s.Found, foundStatus{sum.Direction, sum.Count, sum.Size, sum.Chunks, sum.Oldest.Seconds()})
	}
	return err
}

func (s *status) readDue(ctx context.Context, c *command, a *app) error {
	if s.fresh {
		return nil
	}
	in, found, err := a.db.NextCandidate(ctx, c.fileAges())
	if err == nil && found {
		s.DueIn = roundSeconds(max(in, 0))
	}
	return err
}

func (s *status) readHeld(ctx context.Context, _ *command, a *app) error {
	if s.fresh {
		return nil
	}
	held, err := a.db.ListHolds(ctx)
	s.Held = append(s.Held, held...)
	return err
}

// readWaiting reads what is still to be removed outside the database.
func (s *status) readWaiting(ctx context.Context, _ *command, a *app) error {
	if s.fresh {
		return nil
	}
	for _, kind := range []string{repo.Bytes, repo.Vectors} {
		backlog, err := a.db.Backlog(ctx, kind)
		if err != nil {
			return err
		}
		s.Waiting = append(s.Waiting, waitingStatus{kind, backlog.Count, *roundSeconds(backlog.DueIn), backlog.Retried, backlog.Reason})
	}
	return nil
}

func (s *status) readTrash(ctx context.Context, _ *command, a *app) error {
	if s.fresh {
		return nil
	}
	sum, err := a.db.SumTrash(ctx)
	if err == nil {
		s.Trash = &trashStatus{sum.Files, sum.Bytes, *roundSeconds(sum.Oldest)}
	}
	return err
}

func (s *status) readFreed(ctx context.Context, _ *command, a *app) error {
	if s.fresh {
		return nil
	}
	sum, err := a.db.SumLedger(ctx)
	if err != nil {
		return err
	}
	s.Freed = &freedStatus{Files: sum.Deleted, Rest: sum.Rest, Minute: sum.Minute, Hour: sum.Hour, Day: sum.Day}
	if !sum.Since.IsZero() {
		s.Freed.Since = &sum.Since
	}
	return nil
}

// readQueue asks the queue as the other commands do: the server of the daemon that runs, or
// else, as long as it takes, one of its own on the same files.
func (s *status) readQueue(ctx context.Context, c *command, a *app) (err error) {
	if err := openFoundQueue(ctx, c, a); errors.Is(err, errNotThere) {
		s.Queue = &queueStatus{Stream: c.cli.Queue.Stream, Absent: true}
		return nil
	} else if err != nil {
		return err
	}
	q := &queueStatus{Stream: a.queue.Name()}
	if q.Absent, err = isQueueAbsent(ctx, a.queue); err != nil || q.Absent {
		s.Queue = q
		return err
	}
	backlog, err := a.queue.Backlog(ctx)
	if err != nil {
		return err
	}
	oldest, _, err := a.queue.OldestEvent(ctx)
	if err != nil {
		return err
	}
	if q.DeadLetters, err = a.queue.CountDeadLetters(ctx); err != nil {
		return err
	}
	if q.Control, err = a.queue.ReadControl(ctx); err != nil {
		return err
	}
	q.Work = q.Control.Describe(c.cli.Consumer.Rate)
	q.Pending, q.Unacked, q.Oldest = backlog.Pending, backlog.Unacked, *roundSeconds(oldest)
	s.Queue = q
	return nil
}

// isQueueAbsent says whether the stream of events was not made yet.
func isQueueAbsent(ctx context.Context, queue *consumer.Queue) (bool, error) {
	streams, err := queue.Streams(ctx)
	if err != nil {
		return false, err
	}
	for _, stream := range streams {
		if stream.Name == queue.Name() {
			return stream.Missing, nil
		}
	}
	return false, fmt.Errorf("stream %s: %w", queue.Name(), errNotThere)
}
