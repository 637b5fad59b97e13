package main

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"pruned/repo"
)

// busy is an engine whose tables cannot be read the first times.
type busy struct {
	repo.Index
	times int
	err   error
}

func (b *busy) IndexAll(context.Context, repo.Progress) error {
	if b.times--; b.times >= 0 {
		return b.err
	}
	return nil
}

// TestAnEmbeddedPartThatFailsForAWhileEndsNoRun: an application that writes all the
// time to a database without a log; but what nobody can mend by waiting does.
func TestAnEmbeddedPartThatFailsForAWhileEndsNoRun(t *testing.T) {
	t.Parallel()
	c := &command{stderr: io.Discard, cli: &cli{}}
	c.cli.Consumer.DryRun = true // nothing is bound
	tooBusy := &repo.Error{Kind: repo.Passing, Doing: "read the tables", Err: errors.New("too busy")}
	b := &busy{times: 9, err: tooBusy}
	require.NoError(t, c.indexWithRetry(context.Background(), &app{db: repo.Engine{Index: b}, log: zerolog.Nop()}, 0))
	require.Equal(t, -1, b.times)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := c.indexWithRetry(ctx, &app{db: repo.Engine{Index: &busy{times: 1 << 30, err: tooBusy}}, log: zerolog.Nop()}, 0)
	require.ErrorIs(t, err, context.Canceled)

	corrupt := &repo.Error{Kind: repo.Environment, Doing: "read the tables", Err: errors.New("corrupt")}
	b = &busy{times: 2, err: corrupt}
	require.ErrorIs(t, c.indexWithRetry(context.Background(), &app{db: repo.Engine{Index: b}, log: zerolog.Nop()}, 0), corrupt)
	require.Equal(t, 1, b.times)
}
