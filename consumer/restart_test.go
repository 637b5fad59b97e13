package consumer

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/repotest"
)

// A server that goes away and comes back, in order or not, harms nothing, and
// ends no drain.
func TestDrainOutlivesTheDatabase(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*repotest.Server) error{"restart": (*repotest.Server).Shutdown, "crash": (*repotest.Server).Kill} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := repotest.NewServer(t, repotest.ServerOptions{})
			i := installOn(t, server.New(t, repotest.Vectors(small)))
			files := i.files(t, 40)
			i.refresh(t)
			sum := i.draining(t, files, func(c *Consumer, resume func()) {
				require.NoError(t, end(server))
				resume()
				require.Eventually(t, func() bool { return c.summary().Failed >= 10 }, patience, pollEvery)
				require.NoError(t, server.Restart(testContext(t)))
			})
			i.Pool.Reset()
			require.Equal(t, 40, sum.Deleted, "%+v", sum)
			require.Zero(t, sum.Poison)
			for _, file := range files {
				require.Equal(t, nothing, i.left(t, file))
				require.Equal(t, 1, i.recorded(t, file))
			}
		})
	}
}

func (c *Consumer) summary() Summary {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sum
}
