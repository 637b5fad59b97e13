package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// qdrantOf is what an installation has in a Qdrant: the collections of one prefix.
type qdrantOf struct {
	url, prefix  string
	multitenancy bool
}

func (q qdrantOf) call(t *testing.T, method, path string, in, out any) (status int) {
	t.Helper()
	body, err := json.Marshal(in)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, q.url+"/collections"+path, bytes.NewReader(body))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.NoError(t, json.NewDecoder(response.Body).Decode(&struct{ Result any }{out}))
	return response.StatusCode
}

// moveChunks moves what is in the database to the server, as Open WebUI has it there.
func (q qdrantOf) moveChunks(t *testing.T, i *installation) {
	t.Helper()
	rows, _ := i.Pool.Query(t.Context(), `DELETE FROM document_chunk RETURNING id, collection_name, vmetadata`) // an error comes out of the rows as well
	var collection string
	var metadata json.RawMessage
	_, err := pgx.ForEachRow(rows, []any{new(string), &collection, &metadata}, func() error {
		name, payload := collection, map[string]any{"text": "What it says.", "metadata": metadata}
		if q.multitenancy {
			name, payload["tenant_id"] = "knowledge", collection
			if strings.HasPrefix(collection, "file-") {
				name = "files"
			}
		}
		path := "/" + q.prefix + "_" + name
		q.call(t, http.MethodPut, path, map[string]any{"vectors": map[string]any{"size": 2, "distance": "Cosine"}}, nil) // unless it is there
		status := q.call(t, http.MethodPut, path+"/points?wait=true", map[string]any{"points": []any{map[string]any{"id": uuid.NewString(), "vector": []int{1, 2}, "payload": payload}}}, nil)
		require.Equal(t, http.StatusOK, status)
		return nil
	})
	require.NoError(t, err)
}

// files are those of which the server has chunks, each once, in order.
func (q qdrantOf) files(t *testing.T) (files []string) {
	t.Helper()
	var list struct{ Collections []struct{ Name string } }
	q.call(t, http.MethodGet, "", nil, &list)
	for _, one := range list.Collections {
		if !strings.HasPrefix(one.Name, q.prefix+"_") {
			continue
		}
		var page struct {
			Points []struct {
				Payload struct {
					Metadata struct {
						FileID string `json:"file_id"`
					}
				}
			}
		}
		q.call(t, http.MethodPost, "/"+one.Name+"/points/scroll", map[string]any{"limit": 1000}, &page)
		for _, point := range page.Points {
			files = append(files, point.Payload.Metadata.FileID)
		}
	}
	return slices.Compact(sorted(files...))
}

// Vectors in a Qdrant go with their rows, and those of which no row is left, after somebody
// has said that it is this installation's: of that prefix and mode, and no other.
func TestVectorsInQdrant(t *testing.T) {
	t.Parallel()
	for mode, multitenancy := range map[string]bool{"multitenancy": true, "single": false} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			q := qdrantOf{testenv.SharedQdrant(t).URL(), "of-" + uuid.NewString(), multitenancy}
			i := install(t, testenv.Vectors(small))
			seeded := i.seed(t, 12, 3)
			i.loose(t)
			q.moveChunks(t, i)
			m := i.with("VECTOR_DB=qdrant", "PRUNED_UNPROVEN=qdrant", "QDRANT_URI="+q.url, "QDRANT_COLLECTION_PREFIX="+q.prefix, fmt.Sprint("ENABLE_QDRANT_MULTITENANCY_MODE=", multitenancy))
			m.requireRemovedOnceBound(t, seeded, func() []string { return q.files(t) })

			other := m.with(fmt.Sprint("ENABLE_QDRANT_MULTITENANCY_MODE=", !multitenancy))
			_, out, errs := other.pruned(t, "", "doctor")
			require.Contains(t, out+errs, "wanted both as Open WebUI has them")
		})
	}
}
