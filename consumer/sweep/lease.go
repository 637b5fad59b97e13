package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"pruned/consumer/loop"
)

// ErrSweeping: another process sweeps.
var ErrSweeping = errors.New("another process sweeps")

var errLeaseLost = errors.New("another process took over the lead of sweeps")

const (
	leaseTTL       = 15 * time.Second // after which another process takes over from one that died
	leaseRetry     = time.Second      // between two tries to get it
	releaseTimeout = 5 * time.Second
)

// acquireLease takes the lease of sweeps and keeps it until release is called. The context
// ends when the lease is lost.
func (s *Sweeper) acquireLease(ctx context.Context, wait time.Duration) (leading context.Context, release func(), err error) {
	holder, ttl := uuid.NewString(), s.ttl
	if ttl == 0 {
		ttl = leaseTTL
	}
	until := time.Now().Add(wait)
	for {
		got, err := s.DB.AcquireLease(ctx, holder, ttl)
		if err != nil {
			return nil, nil, err
		}
		if got {
			break
		}
		if !time.Now().Before(until) {
			return nil, nil, ErrSweeping
		}
		if !loop.Sleep(ctx, min(leaseRetry, time.Until(until))) {
			return nil, nil, fmt.Errorf("waiting for the lead of sweeps: %w", context.Cause(ctx))
		}
	}
	leading, lose := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		s.keepLease(leading, holder, ttl, lose)
	}()
	return leading, func() {
		lose(nil)
		<-kept
		s.releaseLease(ctx, holder)
	}, nil
}

// keepLease renews the lease. A database that does not answer is given as long as
// the lease lasts.
func (s *Sweeper) keepLease(ctx context.Context, holder string, ttl time.Duration, lose context.CancelCauseFunc) {
	renewed := time.Now()
	for loop.Sleep(ctx, ttl/3) {
		asked := time.Now()
		got, err := s.renewLease(ctx, holder, ttl)
		switch {
		case err == nil && got:
			renewed = asked
		case err == nil, time.Since(renewed) >= ttl:
			lose(errLeaseLost)
			return
		}
	}
}

func (s *Sweeper) renewLease(ctx context.Context, holder string, ttl time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, ttl/3)
	defer cancel()
	return s.DB.RenewLease(ctx, holder, ttl)
}

// releaseLease also after the sweep was told to stop: the next one need not wait.
func (s *Sweeper) releaseLease(ctx context.Context, holder string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if err := s.DB.ReleaseLease(ctx, holder); err != nil {
		s.Log.Debug().Err(err).Msg("the lead of sweeps could not be given up; it ends by itself")
	}
}
