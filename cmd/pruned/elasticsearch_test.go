package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"pruned/repo/testenv"
)

// elasticsearchOf is what an installation has in an Elasticsearch: the indexes of one prefix.
type elasticsearchOf struct{ url, prefix string }

func (e elasticsearchOf) call(t *testing.T, method, path, in string, out any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, e.url+"/"+path, strings.NewReader(in))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Less(t, response.StatusCode, 300)
	require.NoError(t, json.NewDecoder(response.Body).Decode(out))
}

// moveChunks moves what is in the database to the server, as Open WebUI has it there.
func (e elasticsearchOf) moveChunks(t *testing.T, i *installation) {
	t.Helper()
	var answer any
	e.call(t, http.MethodPut, e.prefix+"_d2", `{"mappings":{"dynamic_templates":[{"strings":{"match_mapping_type":"string","mapping":{"type":"keyword"}}}],
		"properties":{"collection":{"type":"keyword"},"id":{"type":"keyword"},"text":{"type":"text"},"metadata":{"type":"object"}}}}`, &answer)
	rows, _ := i.Pool.Query(t.Context(), `DELETE FROM document_chunk RETURNING id, collection_name, vmetadata`) // an error comes out of the rows as well
	var collection string
	var metadata json.RawMessage
	_, err := pgx.ForEachRow(rows, []any{new(string), &collection, &metadata}, func() error {
		document, err := json.Marshal(map[string]any{"collection": collection, "text": "What it says.", "metadata": metadata})
		require.NoError(t, err)
		e.call(t, http.MethodPut, e.prefix+"_d2/_doc/"+uuid.NewString(), string(document), &answer)
		return nil
	})
	require.NoError(t, err)
}

// files are those of which the server has chunks, each once, in order.
func (e elasticsearchOf) files(t *testing.T) (files []string) {
	t.Helper()
	var page struct {
		Hits struct {
			Hits []struct {
				Source struct {
					Metadata struct {
						FileID string `json:"file_id"`
					}
				} `json:"_source"`
			}
		}
	}
	var answer any
	e.call(t, http.MethodPost, e.prefix+"_d2/_refresh", "", &answer)
	e.call(t, http.MethodPost, e.prefix+"_d2/_search", `{"size":1000}`, &page)
	for _, hit := range page.Hits.Hits {
		files = append(files, hit.Source.Metadata.FileID)
	}
	return slices.Compact(sorted(files...))
}

// Vectors in an Elasticsearch go with their rows, and those of which no row is left, after
// somebody has said that it is this installation's: of that prefix, and no other.
func TestVectorsInElasticsearch(t *testing.T) {
	t.Parallel()
	testenv.NeedOpenSearch(t)
	e := elasticsearchOf{testenv.SharedOpenSearch(t).URL(), "of-" + uuid.NewString()}
	i := install(t, testenv.Vectors(small))
	seeded := i.seed(t, 12, 3)
	i.loose(t)
	e.moveChunks(t, i)
	m := i.with("VECTOR_DB=elasticsearch", "PRUNED_UNPROVEN=elasticsearch", "ELASTICSEARCH_URL="+e.url, "ELASTICSEARCH_INDEX_PREFIX="+e.prefix)
	m.requireRemovedOnceBound(t, seeded, func() []string { return e.files(t) })

	var answer any
	e.call(t, http.MethodPost, e.prefix+"_d2/_close", "", &answer)
	_, out, errs := m.pruned(t, "", "doctor")
	require.Contains(t, out+errs, "has index "+e.prefix+"_d2 closed")
}
