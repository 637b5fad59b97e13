package prune_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/repo/testenv"
)

// A mention in a transaction that began before the look and commits after it: while it
// is open, and a few seconds old, what is due is kept, also what has no row.
func TestBesideALongWriterNothingIsDeleted(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file, unused, gone := i.AddFile(t), i.AddFile(t), testenv.NewID()
	testenv.WriteBytes(t, i.Uploads, gone, "document.pdf")
	i.RefreshIndex(t)
	writer := i.Conn(t)
	exec := func(sql string, args ...any) {
		_, err := writer.Exec(context.Background(), sql, args...)
		require.NoError(t, err)
	}
	exec(`BEGIN`)
	exec(`INSERT INTO note (id, user_id, title, created_at, updated_at) VALUES ('n', 'u', $1, 1, 1)`, file)
	exec(`UPDATE file SET filename = 'x' WHERE id = 'none'`)
	require.Eventually(t, func() bool {
		return testenv.Value[bool](t, i.Database, `SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()
			AND state = 'idle in transaction' AND clock_timestamp() - xact_start > interval '6 seconds'`)
	}, time.Minute, 50*time.Millisecond)
	results := fixture.RunTransaction(t, i.NewTransaction(), file, unused, gone)
	for _, id := range []string{file, unused, gone} {
		require.Equal(t, event.Young, results[id].Outcome, results[id].Detail)
		require.Contains(t, results[id].Detail, "may yet commit")
		require.Positive(t, results[id].RetryIn)
	}
	exec(`COMMIT`)
	results = fixture.RunTransaction(t, i.NewTransaction(), file, unused, gone)
	require.Equal(t, event.Kept, results[file].Outcome)
	require.Equal(t, event.Deleted, results[unused].Outcome)
	require.Equal(t, event.Gone, results[gone].Outcome)
}
