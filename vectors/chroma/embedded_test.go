package chroma_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/chroma"
	"pruned/vectors/vectorstest"
)

func newEmbedded(t testing.TB, dir string) *chroma.Embedded {
	t.Helper()
	store, err := chroma.Open(t.Context(), chroma.EmbeddedOptions{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}

// beside is a Chroma that runs, with its files.
type beside struct {
	api
	*testenv.Chroma
	dir string
}

func runBeside(t testing.TB) *beside {
	t.Helper()
	dir := testenv.MemoryDir(t)
	server := testenv.StartChroma(t, dir)
	return &beside{api{server.URL(), "default_database"}, server, dir}
}

// restart starts the same Chroma again, as with the application, and uses every
// collection: it then carries out what waits.
func (b *beside) restart(t testing.TB) {
	t.Helper()
	b.Restart(t)
	b.server = b.URL()
	b.left(t)
}

// The suite, beside a Chroma that runs and has the same files open. What it
// answers is what is left.
func TestEmbeddedSuite(t *testing.T) {
	t.Parallel()
	vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
		b := runBeside(t)
		return vectorstest.Fixture{
			Store: newEmbedded(t, b.dir), Insert: func(t testing.TB, chunks ...vectorstest.Chunk) { b.insert(t, chunks...) },
			Left: func(t testing.TB) []string { return b.left(t) }, Takes: takesName.MatchString,
			Drop: func(t testing.TB, collection string) { b.drop(t, collection) }, Locks: true,
			Apply: func(t testing.TB) { b.restart(t) },
		}
	})
}
