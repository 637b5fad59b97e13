package valkey_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/gomodule/redigo/redis"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/valkey"
	"pruned/vectors/vectorstest"
)

// A question reads all keys, so that one is about however many files: for their own
// collections, for their chunks, and whether those are gone.
func TestManyFilesAreOneQuestion(t *testing.T) {
	t.Parallel()
	a := newAPI(t, testenv.StartValkey(t))
	ids := make([]string, 2*vectors.FilesAtOnce+1)
	for i := range ids {
		ids[i] = uuid.NewString()
	}
	a.insert(t, append(vectorstest.MakeChunks(1, vectorstest.Base, ids[0]), vectorstest.MakeChunks(1, vectorstest.Base, ids[len(ids)-1])...)...)
	removed, err := a.store(t).Remove(t.Context(), nil, ids)
	require.NoError(t, err)
	require.Equal(t, vectors.Removed{Chunks: 2}, removed)
	require.Empty(t, a.keys(t))
	stats, err := redis.String(a.do(t, []any{"INFO", "commandstats"})[0], nil)
	require.NoError(t, err)
	require.Contains(t, stats, "cmdstat_scan:calls=3,")
}

// Keys of other programs below the same prefix, whatever they say, are neither told nor
// touched.
func TestOthersKeepTheirs(t *testing.T) {
	t.Parallel()
	a := newAPI(t, testenv.SharedValkey(t))
	file := uuid.NewString()
	own := vectors.FileCollection(file)
	a.insert(t, vectorstest.MakeChunks(1, vectorstest.Base, file)...)
	a.do(t, []any{"SET", a.prefix + ":" + own + ":text", "a text"})
	a.do(t, []any{"HSET", a.prefix + ":" + own + ":no-id", "file_id", file})
	a.do(t, []any{"HSET", a.prefix + ":" + own + ":another", "id", "id", "file_id", file})
	a.do(t, []any{"HSET", a.prefix + ":" + own, "id", own, "file_id", file})
	a.do(t, []any{"HSET", a.prefix + "2:" + own + ":a", "id", "a", "file_id", file})
	strange, err := a.store(t).Strange(t.Context())
	require.NoError(t, err)
	require.Empty(t, strange)
	removed, err := a.store(t).Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 1, removed.Chunks)
	require.Len(t, a.keys(t), 4)
	require.Equal(t, []string{vectorstest.Base}, a.indexes(t), "that nobody asked to drop")
}

// An index without keys is found and dropped, whichever end the application came to; keys
// without an index go as well.
func TestHalvesOfCollections(t *testing.T) {
	t.Parallel()
	a := newAPI(t, testenv.SharedValkey(t))
	store := a.store(t)
	file, unindexed, memory := uuid.NewString(), uuid.NewString(), "user-memory-"+uuid.NewString()
	a.create(t, vectors.FileCollection(file))
	a.create(t, memory)
	a.insert(t, vectorstest.MakeChunks(2, vectors.FileCollection(unindexed), unindexed)...)
	a.do(t, []any{"FT.DROPINDEX", "idx:" + a.prefix + ":" + vectors.FileCollection(unindexed)})
	files := map[string]int64{}
	for f, err := range store.Files(t.Context()) {
		require.NoError(t, err)
		files[f.ID] += f.Chunks
	}
	require.Equal(t, map[string]int64{file: 0, unindexed: 2}, files)
	for c, err := range store.ListCollections(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, vectors.Collection{Name: memory}, c)
	}
	keep := func(context.Context, []string) ([]string, error) { return nil, nil }
	_, err := store.RemoveGuarded(t.Context(), []string{file}, keep)
	require.NoError(t, err)
	require.Contains(t, a.indexes(t), vectors.FileCollection(file), "the guard keeps it")
	_, err = store.Remove(t.Context(), nil, []string{file, unindexed})
	require.NoError(t, err)
	_, err = store.RemoveCollections(t.Context(), nil, []string{memory}, vectors.AllowAll)
	require.NoError(t, err)
	require.Empty(t, a.indexes(t))
	require.Empty(t, a.keys(t))
}

// A server that is killed in the midst of a set is the store's failure; the next time the
// rest goes.
func TestServerKilledInASet(t *testing.T) {
	t.Parallel()
	server := testenv.StartValkey(t)
	a := newAPI(t, server)
	f := vectorstest.Fixture{Store: a.store(t), Insert: a.insert, Left: a.left}
	vectorstest.SurviveKill(t, f, func() { server.Kill(t) }, func() { server.Restart(t) })
}

// A server that refuses is told: nothing is taken for gone.
func TestServersThatRefuse(t *testing.T) {
	t.Parallel()
	server := testenv.StartValkey(t)
	a := newAPI(t, server)
	file := uuid.NewString()
	a.insert(t, vectorstest.MakeChunks(3, vectorstest.Base, file)...)
	fails := func(why string) {
		t.Helper()
		_, err := a.store(t).Remove(t.Context(), nil, []string{file})
		require.ErrorIs(t, err, vectors.ErrUnusable)
		require.ErrorContains(t, err, why)
	}
	a.do(t, []any{"ACL", "SETUSER", "default", "-del"})
	fails("wants SCAN, HGET, HMGET, DEL")
	a.do(t, []any{"ACL", "SETUSER", "default", "+del", "-scan"})
	fails("wants SCAN, HGET, HMGET, DEL")
	a.do(t, []any{"ACL", "SETUSER", "default", "+scan", "-ft._list"})
	require.ErrorContains(t, a.store(t).Check(t.Context()), "FT._LIST")
	a.do(t, []any{"ACL", "SETUSER", "default", "+ft._list"})
	a.do(t, []any{"REPLICAOF", "127.0.0.1", fmt.Sprint(testenv.FreePort(t))})
	fails("READONLY")
	a.do(t, []any{"REPLICAOF", "NO", "ONE"})
	removed, err := a.store(t).Remove(t.Context(), nil, []string{file})
	require.NoError(t, err)
	require.EqualValues(t, 3, removed.Chunks)
}

// What loses the rest of a scan, or lies: it is the store's own fault, and nothing is taken
// for gone.
func TestAnswersThatSettleNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		command, instead string // empty: the connection ends
		want             string
	}{
		"says that it deleted": {"$3\r\nDEL\r\n", "$6\r\nEXISTS\r\n", "does not delete"},
		"ends in a scan":       {"$4\r\nSCAN\r\n", "", "scan keys"},
		"ends in a read":       {"$5\r\nHMGET\r\n", "", "read hashes"},
		"does not scan":        {"$4\r\nSCAN\r\n", "$4\r\nSCAM\r\n", "scan keys"},
		"does not read":        {"$5\r\nHMGET\r\n", "$4\r\nMGET\r\n", "other fields"},
		"without the module":   {"$8\r\nFT._LIST\r\n", "$8\r\nFT._LOST\r\n", "list the indexes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, testenv.SharedValkey(t))
			file := uuid.NewString()
			a.insert(t, vectorstest.MakeChunks(3, vectorstest.Base, file)...)
			store := newStore(t, valkey.Options{URL: "valkey://" + newProxy(t, a.address, c.command, c.instead), Prefix: a.prefix})
			_, err := store.Remove(t.Context(), nil, []string{file})
			require.ErrorIs(t, err, vectors.ErrUnusable)
			require.ErrorContains(t, err, c.want)
			require.Len(t, a.keys(t), 3)
			removed, err := a.store(t).Remove(t.Context(), nil, []string{file}) // the next time
			require.NoError(t, err)
			require.EqualValues(t, 3, removed.Chunks)
		})
	}
}

// newProxy is before a server, and hands on something else than one command, or ends there.
func newProxy(t *testing.T, behind, command, instead string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		all.Wait()
	})
	all.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", behind)
			if err != nil {
				from.Close()
				return
			}
			all.Go(func() {
				defer from.Close()
				_, _ = io.Copy(from, to) // until one of them ends
			})
			all.Go(func() {
				defer to.Close()
				handOn(to, from, []byte(command), []byte(instead))
			})
		}
	})
	return listener.Addr().String()
}

func handOn(to io.Writer, from io.Reader, command, instead []byte) {
	buffer := make([]byte, 1<<20)
	for {
		n, err := from.Read(buffer)
		asked := buffer[:n]
		if err != nil || len(instead) == 0 && bytes.Contains(asked, command) {
			return
		}
		if _, err := to.Write(bytes.ReplaceAll(asked, command, instead)); err != nil {
			return
		}
	}
}

func TestServerThatIsAway(t *testing.T) {
	t.Parallel()
	store := newStore(t, valkey.Options{URL: fmt.Sprintf("valkey://127.0.0.1:%d", testenv.FreePort(t)), Prefix: "p"})
	require.ErrorIs(t, store.Check(t.Context()), vectors.ErrUnusable)
	_, err := store.Remove(t.Context(), nil, []string{"a"})
	require.ErrorIs(t, err, vectors.ErrUnusable)
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"valkey://h": "valkey at h:6379, database 0, keys p:*", "rediss://u:s3cr3t@h:6380/2": "valkey at h:6380, database 2, keys p:*",
	} {
		require.Equal(t, vectors.Info{Name: want}, newStore(t, valkey.Options{URL: url, Prefix: "p"}).Info())
	}
	for _, options := range []valkey.Options{{URL: "", Prefix: "p"}, {URL: "valkey://u:s3cr3t@h:port", Prefix: "p"}, {URL: "valkey://u:s3cr3t@h/x", Prefix: "p"}, {URL: "valkey://h"}} {
		_, err := valkey.New(t.Context(), options)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "s3cr3t")
	}
}
