package mariadb_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/chunktable"
	"pruned/vectors/mariadb"
	"pruned/vectors/vectorstest"
)

// database is one of a server, with the application's table.
type database struct {
	*sql.DB
	url, name string
}

func newDatabase(t testing.TB, server *testenv.MariaDB) *database {
	t.Helper()
	d := &database{name: "d" + strings.ReplaceAll(uuid.NewString(), "-", "")}
	d.url = server.URL(d.name)
	var err error
	d.DB, err = server.MakeDatabase(t.Context(), d.name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, _ = d.ExecContext(context.Background(), "DROP DATABASE "+d.name) // its server may be gone by then
		_ = d.Close()
	})
	return d
}

func (d *database) exec(t testing.TB, text string, args ...any) {
	t.Helper()
	_, err := d.ExecContext(t.Context(), text, args...)
	require.NoError(t, err)
}

func (d *database) store(t testing.TB) *chunktable.Store {
	t.Helper()
	return newStore(t, d.url)
}

func newStore(t testing.TB, url string) *chunktable.Store {
	t.Helper()
	store, err := mariadb.New(t.Context(), mariadb.Options{URL: url})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}

// direction is a vector, as text.
func direction() string {
	return fmt.Sprintf("[%f,%f,%f]", rand.Float32(), rand.Float32(), rand.Float32())
}

// insert stores chunks as the application does, many by one statement.
func (d *database) insert(t testing.TB, chunks ...vectorstest.Chunk) {
	t.Helper()
	for some := range slices.Chunk(chunks, 500) {
		text, args := "INSERT IGNORE INTO document_chunk (id, embedding, collection_name, text, vmetadata) VALUES ", []any{}
		for i, c := range some {
			if i > 0 {
				text += ", "
			}
			text += "(?, VEC_FromText(?), ?, ?, ?)"
			args = append(args, c.ID, direction(), c.Collection, "some text", metadata(t, c))
		}
		result, err := d.ExecContext(t.Context(), text, args...)
		require.NoError(t, err)
		n, err := result.RowsAffected()
		require.NoError(t, err)
		require.EqualValues(t, len(some), n, "every row was taken")
	}
}

// metadata is nil for NULL.
func metadata(t testing.TB, chunk vectorstest.Chunk) any {
	t.Helper()
	if chunk.Bare {
		return nil
	}
	text, err := json.Marshal(chunk.Metadata())
	require.NoError(t, err)
	return string(text)
}

func (d *database) left(t testing.TB) (ids []string) {
	t.Helper()
	rows, err := d.QueryContext(t.Context(), "SELECT id FROM document_chunk")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var id string
		require.NoError(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, rows.Err())
	return ids
}

func (d *database) fixture(t testing.TB) vectorstest.Fixture {
	t.Helper()
	return vectorstest.Fixture{
		Store: d.store(t), Insert: d.insert, Left: d.left,
		Drop: func(t testing.TB, collection string) {
			t.Helper()
			d.exec(t, "DELETE FROM document_chunk WHERE collection_name = ?", collection)
		},
		Takes: func(collection string) bool { return utf8.RuneCountInString(collection) <= 255 },
		TakesID: func(id string) bool {
			isPadded := strings.TrimRight(id, " ") != id // the key takes it for the same without
			return len(id) <= 254 && !isPadded && strings.IndexFunc(id, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
		},
	}
}
