package pgvector_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/repotest"
	"pruned/vectors/vectorstest"
)

// The suite, for each shape that the application gives the table.
func TestSuite(t *testing.T) {
	t.Parallel()
	shapes := map[string]struct {
		vectors repotest.VectorOptions
		options []repotest.Option
		index   bool
	}{
		"plain":                  {},
		"plain, indexed":         {index: true},
		"half vectors":           {vectors: repotest.VectorOptions{Half: true, Index: true}},
		"half vectors, indexed":  {vectors: repotest.VectorOptions{Half: true, Index: true}, index: true},
		"encrypted":              {vectors: repotest.VectorOptions{Crypto: key}},
		"in a schema":            {options: []repotest.Option{repotest.InSchema()}},
		"in a schema, indexed":   {options: []repotest.Option{repotest.InSchema()}, index: true},
		"encrypted, in a schema": {vectors: repotest.VectorOptions{Crypto: key}, options: []repotest.Option{repotest.InSchema()}},
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
				i := install(t, shape.vectors, shape.options...)
				store := newStore(t, i.URL, shape.vectors.Crypto != "")
				if shape.index {
					require.NoError(t, store.Index(t.Context()))
				}
				return i.fixture(t, store)
			})
		})
	}
}

// The suite with the table in a schema that only the store's own search path
// knows, and whose name must be quoted.
func TestSuiteElsewhere(t *testing.T) {
	t.Parallel()
	vectorstest.Run(t, func(t *testing.T) vectorstest.Fixture {
		i := install(t, repotest.VectorOptions{})
		i.table = `"Else ""where".document_chunk`
		i.Exec(t, `CREATE SCHEMA "Else ""where"`)
		i.Exec(t, `ALTER TABLE public.document_chunk SET SCHEMA "Else ""where"`)
		store := newStore(t, i.URL+`&search_path="Else%20""where",public`, false)
		require.NoError(t, store.Index(t.Context()))
		return i.fixture(t, store)
	})
}
