package sqlite

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTheLeadIsKeptDuringALongPass: a first pass that took longer than the lead lasts
// ended every sweep, in the name of a process that was not there.
func TestTheLeadIsKeptDuringALongPass(t *testing.T) {
	t.Parallel()
	db := opened(t, "a text")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, db.turn.take(ctx)) // as a pass does
	defer db.turn.giveBack()
	leads, err := db.Lead(ctx, "a", time.Hour)
	require.NoError(t, err)
	require.True(t, leads)
	leads, err = db.Lead(ctx, "b", time.Hour)
	require.NoError(t, err)
	require.False(t, leads)
	require.NoError(t, db.Resign(ctx, "a"))
	leads, err = db.Lead(ctx, "b", time.Hour)
	require.NoError(t, err)
	require.True(t, leads)
}
