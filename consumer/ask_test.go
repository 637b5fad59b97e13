package consumer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A stream without a leader never answers: a command ends by saying so, at an answer that
// comes late it goes on.
func TestAskingEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, err := askAgain(t.Context(), func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		begun := time.Now()
		answer, err := askAgain(t.Context(), func(ctx context.Context) (int, error) {
			if time.Since(begun) > askTimeout/2 {
				return 7, nil
			}
			<-ctx.Done()
			return 0, ctx.Err()
		})
		require.NoError(t, err)
		require.Equal(t, 7, answer)
	})
}
