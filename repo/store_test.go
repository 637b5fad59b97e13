package repo_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo"
	"pruned/vectors"
)

func TestStoreErrorsBlameNoFile(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	engine := &repo.Error{Kind: repo.Permanent, Err: errors.New("unreadable")}
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want repo.Kind
	}{
		{t.Context(), vectors.ErrUnusable, repo.Environment},
		{ended, context.Canceled, repo.Passing},
		{ended, errors.Join(vectors.ErrUnusable, engine), repo.Permanent},
		{t.Context(), engine, repo.Permanent},
	} {
		got := repo.StoreError(c.ctx, "remove vectors", c.err, errors.Is(c.err, vectors.ErrUnusable))
		require.Equal(t, c.want, repo.KindOf(got))
		require.ErrorIs(t, got, c.err)
	}
}
