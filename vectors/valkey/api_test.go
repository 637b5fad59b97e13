package valkey_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors/valkey"
	"pruned/vectors/vectorstest"
)

// api is a server as the application uses it, below a prefix of its own.
type api struct {
	address string
	prefix  string
	pool    *redis.Pool
}

func newAPI(t testing.TB, server *testenv.Valkey) *api {
	t.Helper()
	a := &api{address: server.Address(), prefix: "p[" + uuid.NewString() + "]*"}
	a.pool = &redis.Pool{Dial: func() (redis.Conn, error) { return redis.Dial("tcp", a.address) }}
	t.Cleanup(func() { require.NoError(t, a.pool.Close()) })
	return a
}

func (a *api) store(t testing.TB) *valkey.Store {
	t.Helper()
	return newStore(t, valkey.Options{URL: "valkey://" + a.address, Prefix: a.prefix})
}

func newStore(t testing.TB, options valkey.Options) *valkey.Store {
	t.Helper()
	store, err := valkey.New(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}

// do sends commands together.
func (a *api) do(t testing.TB, commands ...[]any) (answers []any) {
	t.Helper()
	connection := a.pool.Get()
	defer func() { _ = connection.Close() }()
	for _, command := range commands {
		require.NoError(t, connection.Send(command[0].(string), command[1:]...))
	}
	require.NoError(t, connection.Flush())
	for range commands {
		answer, err := connection.Receive()
		require.NoError(t, err)
		answers = append(answers, answer)
	}
	return answers
}

func (a *api) doTexts(t testing.TB, command ...any) []string {
	t.Helper()
	list, err := redis.Strings(a.do(t, command)[0], nil)
	require.NoError(t, err)
	return list
}

func (a *api) indexes(t testing.TB) (names []string) {
	t.Helper()
	for _, name := range a.doTexts(t, "FT._LIST") {
		if collection, ours := strings.CutPrefix(name, "idx:"+a.prefix+":"); ours {
			names = append(names, collection)
		}
	}
	slices.Sort(names)
	return names
}

func (a *api) create(t testing.TB, collection string) {
	t.Helper()
	a.do(t, []any{"FT.CREATE", "idx:" + a.prefix + ":" + collection, "ON", "HASH", "PREFIX", "1", a.prefix + ":" + collection + ":", "SCHEMA",
		"vector", "VECTOR", "HNSW", "6", "TYPE", "FLOAT32", "DIM", "2", "DISTANCE_METRIC", "COSINE",
		"text", "TEXT", "id", "TAG", "metadata_json", "TEXT", "hash", "TAG", "file_id", "TAG", "source", "TAG", "knowledge_base_id", "TAG"})
}

// insert stores chunks as the application does.
func (a *api) insert(t testing.TB, chunks ...vectorstest.Chunk) {
	t.Helper()
	there := map[string]bool{}
	for _, name := range a.indexes(t) {
		there[name] = true
	}
	var commands [][]any
	for _, chunk := range chunks {
		if !there[chunk.Collection] {
			there[chunk.Collection] = true
			a.create(t, chunk.Collection)
		}
		metadata := chunk.Metadata()
		if metadata == nil {
			metadata = map[string]any{}
		}
		text, err := json.Marshal(metadata)
		require.NoError(t, err)
		commands = append(commands, []any{"HSET", a.key(chunk), "id", chunk.ID, "vector", "\x00\x00\x80\x3f\x00\x00\x80\x3f",
			"text", "the text of " + chunk.ID, "metadata_json", string(text), "hash", chunk.Hash, "file_id", chunk.FileID, "source", "", "knowledge_base_id", ""})
	}
	a.do(t, commands...)
}

// drop drops a collection as the application does: the index with its keys.
func (a *api) drop(t testing.TB, collection string) {
	t.Helper()
	a.do(t, []any{"FT.DROPINDEX", "idx:" + a.prefix + ":" + collection, "DD"})
}

func (a *api) key(chunk vectorstest.Chunk) string {
	return fmt.Sprintf("%s:%s:%s", a.prefix, chunk.Collection, chunk.ID)
}

// keys are all of the server's that begin with the prefix.
func (a *api) keys(t testing.TB) (list []string) {
	t.Helper()
	for _, key := range a.doTexts(t, "KEYS", "*") {
		if strings.HasPrefix(key, a.prefix+":") {
			list = append(list, key)
		}
	}
	return list
}

func (a *api) left(t testing.TB) (ids []string) {
	t.Helper()
	for _, key := range a.keys(t) {
		id, err := redis.String(a.do(t, []any{"HGET", key, "id"})[0], nil)
		require.NoError(t, err)
		ids = append(ids, id)
	}
	return ids
}
