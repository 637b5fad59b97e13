package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// valkeyOf is what an installation has in a Valkey: the keys of one prefix.
type valkeyOf struct {
	redis.Conn
	prefix string
}

// moveChunks moves what is in the database to the server, as Open WebUI has it there.
func (v valkeyOf) moveChunks(t *testing.T, i *installation) {
	t.Helper()
	rows, _ := i.Pool.Query(t.Context(), `DELETE FROM document_chunk RETURNING collection_name, vmetadata, coalesce(vmetadata->>'file_id', '')`) // an error comes out of the rows as well
	var collection, file string
	var metadata json.RawMessage
	_, err := pgx.ForEachRow(rows, []any{&collection, &metadata, &file}, func() error {
		id := uuid.NewString()
		_, err := v.Do("HSET", strings.Join([]string{v.prefix, collection, id}, ":"), "id", id, "file_id", file, "metadata_json", string(metadata))
		return err
	})
	require.NoError(t, err)
}

// files are those of which the server has chunks, each once, in order.
func (v valkeyOf) files(t *testing.T) (files []string) {
	t.Helper()
	keys, err := redis.Strings(v.Do("KEYS", v.prefix+":*"))
	require.NoError(t, err)
	for _, key := range keys {
		file, err := redis.String(v.Do("HGET", key, "file_id"))
		require.NoError(t, err)
		files = append(files, file)
	}
	return slices.Compact(sorted(files...))
}

// Of a Valkey the keys of one prefix are this installation's, and no others.
func TestVectorsInValkey(t *testing.T) {
	t.Parallel()
	server := testenv.SharedValkey(t)
	connection, err := redis.Dial("tcp", server.Address())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, connection.Close()) })
	v := valkeyOf{connection, "of-" + uuid.NewString()}
	i := install(t, testenv.Vectors(small))
	seeded := i.seed(t, 12, 3)
	i.loose(t)
	others := valkeyOf{connection, v.prefix + "-other"}
	v.moveChunks(t, i)
	_, err = others.Do("HSET", others.prefix+":file-x:y", "id", "y", "file_id", "x", "metadata_json", `{"name":"a"}`)
	require.NoError(t, err)
	m := i.with("VECTOR_DB=valkey", "PRUNED_UNPROVEN=valkey", "VALKEY_URL=valkey://"+server.Address(), "VALKEY_COLLECTION_PREFIX="+v.prefix)
	m.requireRemovedOnceBound(t, seeded, func() []string { return v.files(t) })
	require.Equal(t, []string{"x"}, others.files(t))
}
