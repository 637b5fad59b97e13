package integration

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/consumer/internal/fixture"
	"pruned/repo/testenv"
)

// A server that goes away and comes back, in order or not, harms nothing, and
// ends no drain.
func TestDrainOutlivesTheDatabase(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testenv.Server) error{"restart": (*testenv.Server).Shutdown, "crash": (*testenv.Server).Kill} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.NewServer(t, testenv.ServerOptions{})
			i := fixture.InstallOn(t, server.New(t, testenv.Vectors(fixture.SmallVectors)))
			files := i.AddFiles(t, 40)
			i.RefreshIndex(t)
			sum := draining(t, i, files, func(d *disturbed, resume func()) {
				require.NoError(t, end(server))
				resume()
				require.Eventually(t, func() bool { return d.State() != nil }, fixture.Patience, fixture.PollEvery,
					"it takes no more events, which another replica may handle")
				require.NoError(t, server.Restart(fixture.Context(t)))
			})
			i.Pool.Reset()
			require.Equal(t, 40, sum.Deleted, "%+v", sum)
			require.Zero(t, sum.Poison)
			for _, file := range files {
				require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
				require.Equal(t, 1, i.CountRecords(t, file))
			}
		})
	}
}
