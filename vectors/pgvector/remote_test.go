package pgvector_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/pgvector"
	"pruned/vectors/vectorstest"
)

// newRemote is a store on a database that holds no rows of files.
func newRemote(t testing.TB, url string, crypto bool) *pgvector.Remote {
	t.Helper()
	options := pgvector.Options{URL: url, Crypto: crypto}
	if crypto {
		options.CryptoKey = key
	}
	store, err := pgvector.NewRemote(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}

// The suite, with the table in another database than the rows: by index, and by scans.
func TestRemoteSuite(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]struct {
		vectors testenv.VectorOptions
		index   bool
	}{
		"indexed":   {index: true},
		"encrypted": {vectors: testenv.VectorOptions{Crypto: key}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
				i := install(t, shape.vectors)
				store := newRemote(t, i.URL, shape.vectors.Crypto != "")
				if shape.index {
					require.NoError(t, store.Index(t.Context()))
				}
				return vectorstest.Fixture{Store: store, Insert: i.insert, Left: i.left, Drop: i.drop, Locks: true}
			})
		})
	}
}

// A server that is killed in the midst of a set is the store's failure; the next time the
// rest goes.
func TestRemoteServerKilledInASet(t *testing.T) {
	t.Parallel()
	server := testenv.NewServer(t, testenv.ServerOptions{Empty: true})
	options := testenv.VectorOptions{Dim: 3}
	i := installation{server.New(t, testenv.Empty(), testenv.Vectors(options)), options, "public.document_chunk"}
	f := vectorstest.Fixture{Store: newRemote(t, i.URL, false), Insert: i.insert, Left: i.left}
	vectorstest.SurviveKill(t, f, func() { require.NoError(t, server.Kill()) }, func() {
		require.NoError(t, server.Restart(t.Context()))
		i.Pool.Reset()
	})
}

// What the application holds is not waited for, and not taken for gone.
func TestRemoteWaitsForWhatIsHeld(t *testing.T) {
	t.Parallel()
	for name, index := range map[string]bool{"indexed": true, "by a scan": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := install(t, testenv.VectorOptions{})
			store := newRemote(t, i.URL, false)
			if index {
				require.NoError(t, store.Index(t.Context()))
			}
			i.insert(t, vectorstest.Chunk{ID: "1", Collection: "file-a", FileID: "a"}, vectorstest.Chunk{ID: "2", Collection: vectorstest.Base, FileID: "a"},
				vectorstest.Chunk{ID: "3", Collection: vectorstest.Base, FileID: "a"}, vectorstest.Chunk{ID: "4", Collection: "user-memory-x"})
			for _, held := range []string{"1", "2"} {
				release := i.hold(t, held)
				removed, err := store.Remove(t.Context(), nil, []string{"a"})
				require.NoError(t, err)
				require.Equal(t, []string{"a"}, removed.Waiting, held)
				require.ElementsMatch(t, []string{held, "4"}, i.left(t))
				release()
				removed, err = store.Remove(t.Context(), nil, []string{"a"})
				require.NoError(t, err)
				require.Equal(t, vectors.Removed{Chunks: 1}, removed)
				i.insert(t, vectorstest.Chunk{ID: "2", Collection: vectorstest.Base, FileID: "a"})
			}
			release := i.hold(t, "4")
			removed, err := store.RemoveCollections(t.Context(), nil, []string{"user-memory-x"}, vectors.AllowAll)
			require.NoError(t, err)
			require.Equal(t, vectors.Removed{Waiting: []string{"user-memory-x"}}, removed)
			release()
		})
	}
}

// The guard's failure is not the store's, and nothing goes by it.
func TestRemoteGuardFails(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	i.insert(t, vectorstest.Chunk{ID: "1", Collection: "file-a", FileID: "a"}, vectorstest.Chunk{ID: "2", Collection: vectorstest.Base, FileID: "b"})
	away := errors.New("the database is away")
	for _, id := range []string{"a", "b"} {
		_, err := newRemote(t, i.URL, false).RemoveGuarded(t.Context(), []string{id}, func(context.Context, []string) ([]string, error) { return nil, away })
		require.ErrorIs(t, err, away)
		require.NotErrorIs(t, err, vectors.ErrUnusable)
	}
	require.ElementsMatch(t, []string{"1", "2"}, i.left(t))
}

// Ids come from databases that hold any text: one that this one cannot hold is not there,
// and hinders nothing.
func TestRemoteTakesIDsOfAnyDatabase(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	i.insert(t, vectorstest.Chunk{ID: "1", Collection: "file-a", FileID: "a"}, vectorstest.Chunk{ID: "2", Collection: "user-memory-x"}, vectorstest.Chunk{ID: "3", Collection: "user-memory-y"})
	store := newRemote(t, i.URL, false)
	odd := []string{"zero\x00", "half\xc3"}
	removed, err := store.Remove(t.Context(), nil, append(odd, "a", "a"))
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 1}, removed)
	removed, err = store.RemovePoints(t.Context(), nil, "user-memory-x", append(odd, "2"), vectors.AllowAll)
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 1}, removed)
	removed, err = store.RemoveCollections(t.Context(), nil, []string{"user-memory-" + odd[0], "user-memory-y"}, vectors.AllowAll)
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 1}, removed)
	require.Empty(t, i.left(t))
}

// Approvals go by the name: it tells databases apart, and schemas, and holds no password.
func TestRemoteName(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgresql://me:s3cret@host:6543/vectors":                    "pgvector at host:6543, database vectors",
		"postgresql://me:s3cret@host/vectors":                         "pgvector at host:5432, database vectors",
		"postgresql://me:s3cret@host/vectors?search_path=one":         "pgvector at host:5432, database vectors, search_path one",
		"postgresql://me@host/vectors?options=-c%20search_path%3Dtwo": "pgvector at host:5432, database vectors, options -c search_path=two",
	} {
		info := newRemote(t, url, false).Info()
		require.Equal(t, vectors.Info{Name: want}, info)
		require.NotContains(t, fmt.Sprint(newRemote(t, url, false)), "s3cret")
	}
}

// A server that is away, or a table that is none, is nobody's fault, and never an empty
// store.
func TestRemoteUnusable(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.VectorOptions{})
	i.Exec(t, `ALTER TABLE document_chunk RENAME TO chunks_of_old; CREATE VIEW document_chunk AS TABLE chunks_of_old`)
	for name, url := range map[string]string{
		"no server":       "postgresql://me:s3cret@127.0.0.1:1/vectors",
		"no database":     strings.Replace(i.URL, "/"+i.Name, "/nowhere", 1),
		"another's table": i.URL,
	} {
		store := newRemote(t, url, false)
		require.Error(t, store.Check(t.Context()), name)
		_, err := store.Remove(t.Context(), nil, []string{"a"})
		require.ErrorIs(t, err, vectors.ErrUnusable, name)
		require.NotContains(t, err.Error(), "s3cret")
		_, err = store.RemoveCollections(t.Context(), nil, []string{vectorstest.Base}, vectors.AllowAll)
		require.ErrorIs(t, err, vectors.ErrUnusable, name)
		for _, err = range store.Files(t.Context()) {
			require.ErrorIs(t, err, vectors.ErrUnusable, name)
		}
		require.Error(t, err)
	}
}
