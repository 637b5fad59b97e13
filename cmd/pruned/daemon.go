package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"

	"pruned/consumer"
	"pruned/consumer/sweep"
	"pruned/repo"
)

// Pauses between two tries to open everything anew.
const (
	reopenFirst = time.Second
	reopenMost  = 30 * time.Second
)

// errAnew ends a session whose parts only help when they are opened anew.
var errAnew = errors.New("it is opened anew")

// daemon works until it is told to stop. It listens before it can do anything else:
// Open WebUI tells of each event only once. What it works with is opened anew where
// nothing else helps: a queue's server that has met a full disk, a webui.db that was
// replaced. Once it has worked nothing that is away ends it, nor does a full disk at
// its start: a restart would help no more.
func (c *command) daemon(ctx context.Context) (err error) {
	d := &service{why: errStarting}
	stop, err := c.listen(ctx, d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	s := &sessions{command: c, service: d, again: backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(reopenFirst), backoff.WithMaxInterval(reopenMost), backoff.WithMaxElapsedTime(0))}
	for {
		err := s.one(ctx)
		if ctx.Err() != nil || !s.goesOn(err) {
			return err
		}
		s.end(err)
		c.pause(ctx, s.again.NextBackOff())
		if ctx.Err() != nil {
			return nil
		}
	}
}

// sessions are the times between an opening of everything and its end.
type sessions struct {
	*command
	*service
	again  *backoff.ExponentialBackOff
	opened bool // everything, just now
	worked bool // since the start of the program
	told   string

	refused int // looks at the vector store, one after the other
}

// goesOn says whether a session that ended is followed by another.
func (s *sessions) goesOn(err error) bool {
	return err != nil && (s.worked || s.fullDisk() != nil || s.opened && repo.KindOf(err) == repo.Passing)
}

// end tells, once, why nothing is open.
func (s *sessions) end(why error) {
	if full := s.fullDisk(); full != nil {
		why = fmt.Errorf("%w (%w)", full, why)
	}
	s.service.end(why)
	if text := why.Error(); text != s.told {
		s.told = text
		log := s.logger()
		log.Warn().Err(why).Msg("everything is closed, and opened anew")
	}
}

// one opens everything and works with it.
func (s *sessions) one(ctx context.Context) error {
	s.opened = false
	return s.with(ctx, func(p *parts) error {
		s.opened = true
		s.announce(p)
		return s.work(ctx, p)
	}, migrated, vectorStore, uploads, ownQueue)
}

func (s *sessions) work(ctx context.Context, p *parts) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	batch := s.batch(p)
	w := &work{
		consumer: consumer.New(p.queue, batch, s.consumption(p)),
		sweeps: &sweep.Scheduler{
			Sweeper: s.sweeper(p), Queue: p.queue, Every: s.cli.Sweep.Every, Changed: &batch.Changed, Log: p.log,
		},
	}
	if !s.cli.Consumer.DryRun {
		w.executor = p.executor()
	}
	s.whose.Store(asked(p.db.Identity().Key))
	s.begin(w, p.queue)
	defer s.service.end(errStarting)
	if err := s.indexPatiently(ctx, p, indexRetry); err != nil {
		return unlessStopped(ctx, err)
	}
	s.worked, s.told = true, ""
	rest, stop := s.background(ctx, p)
	defer stop()
	rest.Go(w.sweeps.Run)
	rest.Go(func(ctx context.Context) { s.watch(ctx, p, w, end) })
	_, err := w.consumer.Run(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, errAnew) {
		return cause
	}
	return err
}

// pause returns early when ctx ends.
func (c *command) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
