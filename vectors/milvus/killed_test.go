package milvus_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/vectorstest"
)

// A server that dies in the middle of a set and comes back: nothing that it was not asked
// about is gone, what was asked is an error of its own, and the next time all goes.
func TestServerThatIsKilled(t *testing.T) {
	t.Parallel()
	starts := map[string]func(testing.TB) *testenv.Milvus{"lite": testenv.StartMilvusLite}
	if allStores {
		starts["engine"] = func(t testing.TB) *testenv.Milvus { return testenv.StartMilvus(t, testenv.MilvusOptions{}) }
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			t.Run("multitenancy", func(t *testing.T) { killInTheMiddle(t, server, true) })
			if name == "lite" { // the engine takes a minute to start again
				t.Run("single", func(t *testing.T) { killInTheMiddle(t, server, false) })
			}
		})
	}
}

func killInTheMiddle(t *testing.T, server *testenv.Milvus, multitenancy bool) {
	a := newDatabase(t, server.URL(), multitenancy)
	f := vectorstest.Fixture{Store: a.store(t), Insert: a.insert, Left: a.left}
	vectorstest.SurviveKill(t, f, func() { server.Kill(t) }, func() {
		server.Restart(t)
		require.Eventually(t, func() bool { return f.Store.Check(t.Context()) == nil }, time.Minute, 20*time.Millisecond, "a connection is tried again after a pause")
	})
}
