package consumer

import (
	"context"
	"errors"
	"time"
)

// answerTimeout is for one answer of the server, askTimeout for all tries to have one.
const (
	answerTimeout = 2 * time.Second
	askTimeout    = 30 * time.Second
)

// askAgain asks again until there is an answer: a cluster never answers what it was asked
// about a stream that had no leader yet, as when replicas begin at once. It ends by an error,
// since a command must say so where a stream has no leader at all.
func askAgain[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	trying, stop := context.WithTimeout(ctx, askTimeout)
	defer stop()
	for {
		asking, cancel := context.WithTimeout(trying, answerTimeout)
		answer, err := ask(asking)
		cancel()
		if trying.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return answer, err
		}
	}
}
