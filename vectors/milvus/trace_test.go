package milvus_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/vectors"
	"pruned/vectors/vectorstest"
)

// Names, ids, tenants, metadata and texts are searched, of every collection and beyond a
// page; what was removed is not found. What is somebody else's and not loaded is told, where
// the server has such a state.
func TestTrace(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, server *testenv.Milvus) {
		for mode, multitenancy := range map[string]bool{"multitenancy": true, "single": false} {
			t.Run(mode, func(t *testing.T) {
				t.Parallel()
				a := newDatabase(t, server.URL(), multitenancy)
				store := a.store(t)
				file, user, chunk := uuid.NewString(), uuid.NewString(), uuid.NewString()
				own := vectors.FileCollection(file)
				table, text := a.ServerName(own), "data"
				a.insert(t, append(many(2500, vectorstest.Base, uuid.NewString()), vectorstest.Chunk{ID: chunk, Collection: own, FileID: file, CreatedBy: user})...)
				a.create(t, "of_a_plugin_"+uuid.New().String()[:8], dimension)
				places := []string{table + " " + chunk + " metadata"}
				if multitenancy {
					places, text = append(places, table+" "+chunk+" resource_id"), "text"
				} else {
					places = append(places, table+"  name")
				}
				found := vectorstest.Trace(t, store, file)
				require.ElementsMatch(t, places, found.Places)
				require.Len(t, found.Gaps, map[bool]int{true: 1}[a.isEngine(t)])
				found = vectorstest.Trace(t, store, user)
				require.Equal(t, []string{table + " " + chunk + " metadata"}, found.Places)
				found = vectorstest.Trace(t, store, chunk)
				require.ElementsMatch(t, []string{table + " " + chunk + " id", table + " " + chunk + " " + text}, found.Places)
				found = vectorstest.Trace(t, store, vectorstest.Base+"-002499")
				require.NotEmpty(t, found.Places)

				_, err := store.Remove(t.Context(), nil, []string{file})
				require.NoError(t, err)
				for _, id := range []string{file, user, chunk} {
					found = vectorstest.Trace(t, store, id)
					require.Empty(t, found.Places)
				}
			})
		}
	})
}

func (a *api) isEngine(t testing.TB) bool {
	answer, err := a.GetVersion(t.Context(), &milvuspb.GetVersionRequest{})
	done(t)(answer.GetStatus(), err)
	return !strings.HasPrefix(answer.GetVersion(), "milvus_lite")
}
