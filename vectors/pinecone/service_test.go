package pinecone_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"pruned/vectors/pinecone"
	"pruned/vectors/vectorstest"
)

const (
	secret    = "pcsk-s3cr3t"
	indexName = "open-webui-index"
	dimension = 3
	// patience is how long the service may show what was deleted, more than any takes here.
	patience = time.Minute
)

// service is an index of Pinecone's in the process, by the published API. Any request that it
// does not know, one with deleteAll or with a filter to delete by among them, it refuses.
type service struct {
	url string
	// late is how many queries more show what was deleted, and between is called before a
	// request is answered; it says whether it was answered.
	late    int
	stale   bool // so do fetches
	between func(w http.ResponseWriter, r *http.Request) bool

	mutex  sync.Mutex
	there  map[string]map[string]any // metadata by id
	ghosts map[string]map[string]any // what was deleted, and is still shown
	shown  int                       // so many queries more
	dying  bool                      // in the midst of the next deletion
	dead   bool                      // it answers nobody
}

func newService(t testing.TB) *service {
	t.Helper()
	s := &service{there: map[string]map[string]any{}, ghosts: map[string]map[string]any{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *service) store(t testing.TB) *pinecone.Store {
	t.Helper()
	return s.patientStore(t, patience)
}

func (s *service) patientStore(t testing.TB, patience time.Duration) *pinecone.Store {
	t.Helper()
	store, err := pinecone.NewStore(s.url, patience, pinecone.Options{APIKey: secret, Index: indexName})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return store
}

type asked struct {
	Vector []float32
	TopK   int
	Filter map[string]struct {
		In []string `json:"$in"`
	}
	IDs       []string
	DeleteAll *bool
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.between != nil && s.between(w, r) {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.dead {
		panic(http.ErrAbortHandler)
	}
	if r.Header.Get("Api-Key") != secret {
		http.Error(w, `{"error":{"code":"UNAUTHENTICATED","message":"Invalid API Key `+r.Header.Get("Api-Key")+`"}}`, http.StatusUnauthorized)
		return
	}
	var in asked
	_ = json.NewDecoder(r.Body).Decode(&in) // what is missing then is refused below
	answer, status := map[string]any{}, http.StatusOK
	switch r.Method + " " + r.URL.Path {
	case "GET /indexes/" + indexName:
		answer = map[string]any{"name": indexName, "host": s.url, "dimension": dimension, "status": map[string]any{"ready": true}, "spec": map[string]any{"serverless": map[string]any{}}}
	case "POST /query":
		if answer["matches"], status = s.query(in), http.StatusOK; len(in.Vector) != dimension || len(in.Filter) != 1 {
			status = http.StatusBadRequest
		}
	case "GET /vectors/list":
		s.list(r, answer)
	case "GET /vectors/fetch":
		found := map[string]any{}
		for _, id := range r.URL.Query()["ids"] {
			metadata, there := s.there[id]
			if ghost, is := s.ghosts[id]; is && s.stale && s.shown > 0 {
				metadata, there = ghost, true
			}
			if there {
				found[id] = map[string]any{"id": id, "values": []float32{1, 2, 3}, "metadata": metadata}
			}
		}
		answer["vectors"] = found
	case "POST /vectors/delete":
		if status = s.delete(in); status != http.StatusOK {
			break
		}
	default:
		status = http.StatusNotFound
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // a client that is gone misses it
}

func (s *service) query(in asked) []map[string]any {
	all := maps.Clone(s.there)
	if s.shown > 0 {
		s.shown--
		maps.Copy(all, s.ghosts)
	}
	matches := []map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		for key, values := range in.Filter {
			value, _ := all[id][key].(string)
			if slices.Contains(values.In, value) && len(matches) < in.TopK {
				matches = append(matches, map[string]any{"id": id, "score": 0.5})
			}
		}
	}
	return matches
}

func (s *service) list(r *http.Request, answer map[string]any) {
	ids := slices.Sorted(maps.Keys(s.there))
	from, found := slices.BinarySearch(ids, r.URL.Query().Get("paginationToken"))
	if found {
		from++
	}
	ids = ids[from:]
	if len(ids) > 100 {
		ids = ids[:100]
		answer["pagination"] = map[string]any{"next": ids[99]}
	}
	list := []map[string]any{}
	for _, id := range ids {
		list = append(list, map[string]any{"id": id})
	}
	answer["vectors"] = list
}

func (s *service) delete(in asked) int {
	if len(in.IDs) == 0 || len(in.IDs) > 1000 || in.DeleteAll != nil || in.Filter != nil {
		return http.StatusBadRequest
	}
	if s.dying {
		in.IDs, s.dead = in.IDs[:len(in.IDs)/2], true
	}
	for _, id := range in.IDs {
		if metadata, there := s.there[id]; there {
			s.ghosts[id], s.shown = metadata, s.late
		}
		delete(s.there, id)
	}
	if s.dead {
		panic(http.ErrAbortHandler)
	}
	return http.StatusOK
}

// insert stores chunks as the application does.
func (s *service) insert(_ testing.TB, chunks ...vectorstest.Chunk) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, chunk := range chunks {
		metadata := map[string]any{"text": "the text of " + chunk.ID}
		maps.Copy(metadata, chunk.Metadata())
		metadata["collection_name"] = "open-webui_" + chunk.Collection
		s.there[chunk.ID] = metadata
	}
}

func (s *service) left(testing.TB) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Collect(maps.Keys(s.there))
}

// drop deletes a collection as the application does: all points that say it.
func (s *service) drop(_ testing.TB, collection string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	maps.DeleteFunc(s.there, func(_ string, metadata map[string]any) bool {
		return metadata["collection_name"] == "open-webui_"+collection
	})
}

// kill ends the service in the midst of the next deletion.
func (s *service) kill() { s.live(true) }

func (s *service) restart() { s.live(false) }

func (s *service) live(dying bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.dying, s.dead = dying, false
}
