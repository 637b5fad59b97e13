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

var errLeadLost = errors.New("another process took over the lead of sweeps")

const (
	leadTTL       = 15 * time.Second // after which another process takes over from one that died
	leadAgain     = time.Second      // between two tries to get it
	resignTimeout = 5 * time.Second
)

// lead takes the lead of sweeps and keeps it until resign is called. The context
// ends when the lead is lost.
func (s *Sweeper) lead(ctx context.Context, wait time.Duration) (leading context.Context, resign func(), err error) {
	holder, ttl := uuid.NewString(), s.ttl
	if ttl == 0 {
		ttl = leadTTL
	}
	until := time.Now().Add(wait)
	for {
		got, err := s.DB.Lead(ctx, holder, ttl)
		if err != nil {
			return nil, nil, err
		}
		if got {
			break
		}
		if !time.Now().Before(until) {
			return nil, nil, ErrSweeping
		}
		if !loop.Sleep(ctx, min(leadAgain, time.Until(until))) {
			return nil, nil, fmt.Errorf("waiting for the lead of sweeps: %w", context.Cause(ctx))
		}
	}
	leading, lose := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		s.keepLead(leading, holder, ttl, lose)
	}()
	return leading, func() {
		lose(nil)
		<-kept
		s.resign(ctx, holder)
	}, nil
}

// keepLead renews the lead. A database that does not answer is given as long as
// the lead lasts.
func (s *Sweeper) keepLead(ctx context.Context, holder string, ttl time.Duration, lose context.CancelCauseFunc) {
	renewed := time.Now()
	for loop.Sleep(ctx, ttl/3) {
		asked := time.Now()
		got, err := s.renewLead(ctx, holder, ttl)
		switch {
		case err == nil && got:
			renewed = asked
		case err == nil, time.Since(renewed) >= ttl:
			lose(errLeadLost)
			return
		}
	}
}

func (s *Sweeper) renewLead(ctx context.Context, holder string, ttl time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, ttl/3)
	defer cancel()
	return s.DB.Renew(ctx, holder, ttl)
}

// resign also after the sweep was told to stop: the next one need not wait.
func (s *Sweeper) resign(ctx context.Context, holder string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resignTimeout)
	defer cancel()
	if err := s.DB.Resign(ctx, holder); err != nil {
		s.Log.Debug().Err(err).Msg("the lead of sweeps could not be given up; it ends by itself")
	}
}
