package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pruned/consumer"
	"pruned/consumer/embedded"
	"pruned/consumer/loop"
)

const (
	watchEvery = 10 * time.Second
	// watchTimeout bounds one look at one part.
	watchTimeout = 10 * time.Second
	// maxProbeFailures is how many probes in a row must fail before the queue is opened
	// anew: a machine under load answers late.
	maxProbeFailures = 2
)

// watchSession looks at what is open, again and again, so that ready is true of it: parts
// that are not asked do not say that they are away. It ends the session where only
// opening anew helps.
func (s *sessions) watchSession(ctx context.Context, a *app, w *work, end context.CancelCauseFunc) {
	for refused := 0; ; loop.Sleep(ctx, watchEvery) {
		if ctx.Err() != nil {
			return
		}
		queue, anew := s.checkQueue(ctx, a)
		if refused++; !anew {
			refused = 0
		}
		database := checkDatabase(a)
		trouble := errors.Join(s.fullDisk(), queue, database, s.checkStores(ctx, a), s.checkTombstones(ctx, w))
		if ctx.Err() != nil {
			return
		}
		if s.setTrouble(trouble) && trouble != nil {
			a.log.Warn().Err(trouble).Msg("not ready")
		} else if trouble == nil {
			s.backoff.Reset()
		}
		if refused >= maxProbeFailures || database != nil {
			end(fmt.Errorf("%w; %w", errors.Join(queue, database), errReopen))
		}
	}
}

// checkQueue says what keeps the queue from storing, and whether a server of our own
// should be opened anew: it keeps its failure for good, though there is room again.
func (s *sessions) checkQueue(ctx context.Context, a *app) (err error, anew bool) {
	if a.server != nil {
		if err := a.server.Present(); err != nil {
			return err, true
		}
	}
	err = a.queue.Probe(ctx)
	if err == nil || a.server == nil || errors.Is(err, consumer.ErrFull) {
		return err, false
	}
	if full := embedded.Space(s.cli.Queue.DataDir); full != nil {
		return errors.Join(err, full), false
	}
	return err, true
}

// checkDatabase says whether a database that is a file was replaced.
func checkDatabase(a *app) error {
	if file, ok := a.db.Admin.(interface{ Present() error }); ok {
		return file.Present()
	}
	return nil
}

func (s *sessions) checkStores(ctx context.Context, a *app) error {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	var errs []error
	err := a.store.Check(ctx)
	if s.refusals++; err == nil {
		s.refusals = 0
	}
	if s.refusals >= maxFailures { // one that is busy for a moment is not away
		errs = append(errs, fmt.Errorf("vectors: %w", err))
	}
	if err := a.blobs.Check(ctx); err != nil {
		errs = append(errs, fmt.Errorf("uploads: %w", err))
	}
	return errors.Join(errs...)
}

// checkTombstones says whether what is due is left undone for long.
func (s *sessions) checkTombstones(ctx context.Context, w *work) error {
	if w.executor == nil || w.app.control.IsPaused() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	overdue, err := w.executor.Overdue(ctx)
	if err != nil {
		return fmt.Errorf("tombstones: %w", err)
	}
	if overdue > maxOverdue {
		return fmt.Errorf("tombstones are overdue by %s", overdue.Round(time.Second))
	}
	return nil
}
