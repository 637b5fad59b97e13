package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"

	"pruned/cmd/pruned/metrics"
	"pruned/config"
	"pruned/consumer"
	"pruned/consumer/loop"
	"pruned/consumer/notify"
	"pruned/consumer/prune"
	"pruned/consumer/reap"
	"pruned/consumer/sweep"
	"pruned/repo"
)

// Pauses between two tries to open everything anew.
const (
	minReopenPause = time.Second
	maxReopenPause = 30 * time.Second
)

// errReopen ends a session where only opening everything anew helps.
var errReopen = errors.New("it is opened anew")

// runDaemon works until it is told to stop. It listens before it can do anything else:
// Open WebUI tells of each event only once. What it works with is opened anew where
// nothing else helps: a queue's server that has met a full disk, a webui.db that was
// replaced. Once it has worked nothing that is away ends it, nor does a full disk at
// its start: a restart would help no more.
func (c *command) runDaemon(ctx context.Context, settings *config.Settings) (err error) {
	d := c.newService()
	d.settings = settings
	stop, err := c.listenHTTP(ctx, d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	stopProfiles, err := c.listenProfiles(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopProfiles()) }()
	s := &sessions{command: c, service: d, backoff: loop.NewBackoff(minReopenPause, maxReopenPause)}
	for {
		err := s.runSession(ctx)
		if ctx.Err() != nil || !s.shouldReopen(err) {
			return err
		}
		s.endSession(err)
		if !loop.Sleep(ctx, s.backoff.NextBackOff()) {
			return nil
		}
	}
}

// sessions are the times between an opening of everything and its end.
type sessions struct {
	*command
	*service
	backoff  *backoff.ExponentialBackOff
	opened   bool // everything, just now
	worked   bool // since the start of the program
	reported string

	refusals int // looks at the vector store, one after the other

	notifier *notify.Notifier // nil where nobody is to be told; it remembers what it told
}

// shouldReopen says whether a session that ended is followed by another.
func (s *sessions) shouldReopen(err error) bool {
	return err != nil && (s.worked || s.fullDisk() != nil || s.opened && repo.KindOf(err) == repo.Passing)
}

// endSession tells, once, why nothing is open.
func (s *sessions) endSession(why error) {
	if full := s.fullDisk(); full != nil {
		why = fmt.Errorf("%w (%w)", full, why)
	}
	s.clearWork(why)
	if text := why.Error(); text != s.reported {
		s.reported = text
		log := s.newLogger()
		log.Warn().Err(why).Msg("everything is closed, and opened anew")
	}
}

// runSession opens everything and works with it.
func (s *sessions) runSession(ctx context.Context) error {
	s.opened = false
	return s.runWith(ctx, func(a *app) error {
		s.opened = true
		s.announceStart(a)
		return s.consumeQueue(ctx, a)
	}, openMigrated, openVectorStore, openByteStore, openOwnQueue)
}

func (s *sessions) consumeQueue(ctx context.Context, a *app) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	chunks := s.newChunkVacuum(a)
	batch, options := s.newBatch(a, func(r prune.Report, err error) {
		s.metrics.CountTransaction(r, err)
		chunks.countTransaction(r, err)
	}), s.consumerOptions(a)
	options.Settled = s.metrics.CountEvents
	w := &work{
		app:      a,
		consumer: consumer.New(a.queue, batch, options),
		sweeps: &sweep.Scheduler{
			Sweeper: s.newSweeper(a), Queue: a.queue, Every: s.cli.Sweep.Every, Changed: &batch.Changed, Log: a.log,
			Observe: s.observeSweep,
		},
	}
	if !s.cli.Consumer.DryRun {
		w.executor = a.sharedExecutor()
		w.executor.Observe = func(r reap.Removed) {
			s.metrics.CountRemoved(r)
			chunks.countRemoved(r)
		}
	}
	w.opened = metrics.Open{DB: a.db, Queue: a.queue, Control: a.control, Sweeps: w.sweeps, Executor: w.executor}
	if s.notifier == nil {
		s.notifier = s.newNotifier(a, s.metrics.CountNotification)
	}
	s.identity.Store(hashIdentity(a.db.Identity().Key))
	s.setWork(w, a.queue)
	defer s.clearWork(errStarting)
	if err := s.indexWithRetry(ctx, a, indexRetry); err != nil {
		if ctx.Err() != nil {
			return nil // the pass goes on at the next start
		}
		return err
	}
	s.worked, s.reported = true, ""
	rest, stop := s.startBackground(ctx, a)
	defer stop()
	startNotifier(rest, a, s.notifier)
	rest.Go(func(ctx context.Context) { s.prepareLooks(ctx, a) })
	rest.Go(w.sweeps.Run)
	rest.Go(chunks.run)
	rest.Go(func(ctx context.Context) { s.watchSession(ctx, a, w, end) })
	_, err := w.consumer.Run(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, errReopen) {
		return cause
	}
	return err
}

// removers are the sessions beside those of the workers that take turns with them: tombstones
// are carried out by two.
const removers = 2

// prepareLooks spares the first events their sessions' planning. Where it fails they wait for
// that, or meet the same failure.
func (s *sessions) prepareLooks(ctx context.Context, a *app) {
	if err := a.db.PrepareLooks(ctx, s.cli.Consumer.Workers+removers); err != nil && ctx.Err() == nil {
		a.log.Debug().Err(err).Msg("not every session could be prepared")
	}
}

// observeSweep counts a sweep, and has told what it holds.
func (s *sessions) observeSweep(state sweep.State) {
	s.metrics.CountSweep(state, s.cli.Consumer.DryRun)
	if s.notifier != nil {
		s.notifier.Look()
	}
}

// indexRetry is how long a daemon waits before it tries to read the tables again.
const indexRetry = 10 * time.Second

// indexWithRetry indexes references for a daemon: an application that writes all the time to a
// database without a write-ahead log is no reason to end.
func (c *command) indexWithRetry(ctx context.Context, a *app, retry time.Duration) error {
	for told := false; ; {
		err := c.indexReferences(ctx, a)
		if err == nil || repo.KindOf(err) != repo.Passing {
			return err
		}
		if !told && ctx.Err() == nil {
			told = true
			a.log.Warn().Err(err).Msg("the tables cannot be read yet: nothing is deleted until they were; it is tried again")
		}
		if !loop.Sleep(ctx, retry) {
			return ctx.Err()
		}
	}
}
