package notify

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"pruned/consumer/loop"
	"pruned/repo"
)

// Pauses between two tries of a receiver that does not take what it is told.
const (
	firstPause = time.Second
	maxPause   = 5 * time.Minute
)

// Notifier tells a receiver, which nobody waits for.
type Notifier struct {
	receiver Receiver
	log      zerolog.Logger
	observe  func(error) // is told of each try; may be nil

	sooner  chan struct{}
	told    map[string]bool // notices of holds that are still there
	failing atomic.Bool
}

// NewNotifier returns a notifier that has told nothing yet. It may be run again and again.
func NewNotifier(r Receiver, log zerolog.Logger, observe func(error)) *Notifier {
	return &Notifier{receiver: r, log: log, observe: observe, sooner: make(chan struct{}, 1), told: map[string]bool{}}
}

// Look has holds looked for soon: a sweep has ended. It never blocks.
func (n *Notifier) Look() {
	select {
	case n.sooner <- struct{}{}:
	default:
	}
}

// RunHolds tells of each hold once, at its start and whenever Look was called, until ctx
// ends. One that nothing holds any more by the time the receiver answers again is not told.
func (n *Notifier) RunHolds(ctx context.Context, list func(context.Context) ([]repo.Hold, error)) {
	for pauses := loop.NewBackoff(firstPause, maxPause); ctx.Err() == nil; {
		if err := n.tellHolds(ctx, list); err != nil {
			loop.Sleep(ctx, pauses.NextBackOff())
			continue
		}
		pauses.Reset()
		select {
		case <-n.sooner:
		case <-ctx.Done():
		}
	}
}

func (n *Notifier) tellHolds(ctx context.Context, list func(context.Context) ([]repo.Hold, error)) error {
	holds, err := list(ctx)
	if err != nil {
		return err // whoever sweeps says so
	}
	told := map[string]bool{}
	defer func() { n.told = told }()
	for _, hold := range holds {
		notice := ofHold(hold)
		if !n.told[notice.ID] && err == nil {
			err = n.tell(ctx, notice)
			told[notice.ID] = err == nil
			continue
		}
		told[notice.ID] = n.told[notice.ID]
	}
	return err
}

// TellLetter tells of a dead letter once. Whoever has it keeps it until that succeeds.
func (n *Notifier) TellLetter(ctx context.Context, l Letter) error { return n.tell(ctx, ofLetter(l)) }

func (n *Notifier) tell(ctx context.Context, notice Notice) error {
	err := n.receiver.post(ctx, notice)
	if ctx.Err() != nil {
		return err
	}
	if n.observe != nil {
		n.observe(err)
	}
	switch failing := err != nil; {
	case !n.failing.CompareAndSwap(!failing, failing):
	case failing:
		n.log.Warn().Err(err).Msg("PRUNED_NOTIFY_URL does not take notifications; they are tried again")
	default:
		n.log.Info().Msg("PRUNED_NOTIFY_URL takes notifications again")
	}
	return err
}
