package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pruned/consumer"
	"pruned/consumer/embedded"
)

const (
	watchEvery = 10 * time.Second
	// watchPatience bounds one look at one part.
	watchPatience = 10 * time.Second
	// storesNothing is how many probes in a row must fail before the queue is opened
	// anew: a machine under load answers late.
	storesNothing = 2
)

// watch looks at what is open, again and again, so that ready is true of it: parts
// that are not asked do not say that they are away. It ends the session where only
// opening anew helps.
func (s *sessions) watch(ctx context.Context, p *parts, w *work, end context.CancelCauseFunc) {
	for refused := 0; ; s.pause(ctx, watchEvery) {
		if ctx.Err() != nil {
			return
		}
		queue, anew := s.lookAtQueue(ctx, p)
		if refused++; !anew {
			refused = 0
		}
		database := lookAtDatabase(p)
		trouble := errors.Join(s.fullDisk(), queue, database, s.lookAtStores(ctx, p), s.lookAtTombstones(ctx, w))
		if ctx.Err() != nil {
			return
		}
		if s.looked(trouble) && trouble != nil {
			p.log.Warn().Err(trouble).Msg("not ready")
		} else if trouble == nil {
			s.again.Reset()
		}
		if refused >= storesNothing || database != nil {
			end(fmt.Errorf("%w; %w", errors.Join(queue, database), errAnew))
		}
	}
}

// lookAtQueue says what keeps the queue from storing, and whether a server of our own
// should be opened anew: it keeps its failure for good, though there is room again.
func (s *sessions) lookAtQueue(ctx context.Context, p *parts) (err error, anew bool) {
	if p.server != nil {
		if err := p.server.Present(); err != nil {
			return err, true
		}
	}
	err = p.queue.Probe(ctx)
	if err == nil || p.server == nil || errors.Is(err, consumer.ErrFull) {
		return err, false
	}
	if full := embedded.Space(s.cli.Queue.DataDir); full != nil {
		return errors.Join(err, full), false
	}
	return err, true
}

// lookAtDatabase says whether a database that is a file was replaced.
func lookAtDatabase(p *parts) error {
	if file, ok := p.db.(interface{ Present() error }); ok {
		return file.Present()
	}
	return nil
}

func (s *sessions) lookAtStores(ctx context.Context, p *parts) error {
	ctx, cancel := context.WithTimeout(ctx, watchPatience)
	defer cancel()
	var errs []error
	err := p.store.Check(ctx)
	if s.refused++; err == nil {
		s.refused = 0
	}
	if s.refused >= failedOften { // one that is busy for a moment is not away
		errs = append(errs, fmt.Errorf("vectors: %w", err))
	}
	if err := p.blobs.Check(ctx); err != nil {
		errs = append(errs, fmt.Errorf("uploads: %w", err))
	}
	return errors.Join(errs...)
}

// lookAtTombstones says whether what is due is left undone for long.
func (s *sessions) lookAtTombstones(ctx context.Context, w *work) error {
	if w.executor == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, watchPatience)
	defer cancel()
	overdue, err := w.executor.Overdue(ctx)
	if err != nil {
		return fmt.Errorf("tombstones: %w", err)
	}
	if overdue > overdueLong {
		return fmt.Errorf("tombstones are overdue by %s", overdue.Round(time.Second))
	}
	return nil
}
