package milvus_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
	"pruned/repo/trace"
	"pruned/vectors"
	"pruned/vectors/milvus"
	"pruned/vectors/vectorstest"
)

// tracePlaces lists where the store says that a text is, and what it could not search.
func tracePlaces(t testing.TB, store *milvus.Store, id string) (found, gaps []string) {
	t.Helper()
	text, err := trace.NewText(id)
	require.NoError(t, err)
	s := &trace.Search{Text: text, Progress: func(string, int64, int64) {}, Each: func(p trace.Place) error {
		found = append(found, fmt.Sprintf("%s %s %s", p.Table, p.Row, p.Column))
		return nil
	}}
	require.NoError(t, store.Trace(t.Context(), s))
	require.NotEmpty(t, s.Searched)
	for _, gap := range s.Gaps {
		gaps = append(gaps, gap.Name)
	}
	return found, gaps
}

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
				found, gaps := tracePlaces(t, store, file)
				require.ElementsMatch(t, places, found)
				require.Len(t, gaps, map[bool]int{true: 1}[a.isEngine(t)])
				found, _ = tracePlaces(t, store, user)
				require.Equal(t, []string{table + " " + chunk + " metadata"}, found)
				found, _ = tracePlaces(t, store, chunk)
				require.ElementsMatch(t, []string{table + " " + chunk + " id", table + " " + chunk + " " + text}, found)
				found, _ = tracePlaces(t, store, vectorstest.Base+"-002499")
				require.NotEmpty(t, found)

				_, err := store.Remove(t.Context(), nil, []string{file})
				require.NoError(t, err)
				for _, id := range []string{file, user, chunk} {
					found, _ = tracePlaces(t, store, id)
					require.Empty(t, found)
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
