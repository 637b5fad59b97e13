package pgvector_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/vectorstest"
)

// The suite, for each shape that the application gives the table.
func TestSuite(t *testing.T) {
	t.Parallel()
	shapes := map[string]struct {
		vectors testenv.VectorOptions
		options []testenv.Option
		index   bool
	}{
		"plain":                  {},
		"plain, indexed":         {index: true},
		"half vectors":           {vectors: testenv.VectorOptions{Half: true, Index: true}},
		"half vectors, indexed":  {vectors: testenv.VectorOptions{Half: true, Index: true}, index: true},
		"encrypted":              {vectors: testenv.VectorOptions{Crypto: key}},
		"in a schema":            {options: []testenv.Option{testenv.InSchema()}},
		"in a schema, indexed":   {options: []testenv.Option{testenv.InSchema()}, index: true},
		"encrypted, in a schema": {vectors: testenv.VectorOptions{Crypto: key}, options: []testenv.Option{testenv.InSchema()}},
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
		i := install(t, testenv.VectorOptions{})
		i.table = `"Else ""where".document_chunk`
		i.Exec(t, `CREATE SCHEMA "Else ""where"`)
		i.Exec(t, `ALTER TABLE public.document_chunk SET SCHEMA "Else ""where"`)
		store := newStore(t, i.URL+`&search_path="Else%20""where",public`, false)
		require.NoError(t, store.Index(t.Context()))
		return i.fixture(t, store)
	})
}
