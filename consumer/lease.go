package consumer

import (
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// keepLease keeps messages ours until release is called: without an answer the queue gives
// them to another process once AckWait is over, which is short, so that the work of one that
// died is soon taken over.
func (c *Consumer) keepLease(msgs []jetstream.Msg) (release func()) {
	done := make(chan struct{})
	var keeping sync.WaitGroup
	keeping.Go(func() {
		ticker := time.NewTicker(c.o.AckWait / 3)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				if err := extendAll(msgs); err != nil {
					c.o.Log.Debug().Err(err).Msg("the lease of a batch cannot be extended; it may come again")
				}
			}
		}
	})
	return func() {
		close(done)
		keeping.Wait()
	}
}

// extendAll asks for a whole lease more for each message that is not settled yet.
func extendAll(msgs []jetstream.Msg) error {
	for _, msg := range msgs {
		if err := msg.InProgress(); err != nil && !errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
			return err
		}
	}
	return nil
}
