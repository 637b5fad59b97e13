package s3vector_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// paged is a bucket in the process, by the published API, whose lists have pages.
type paged struct {
	vectors, indexes int // at most on a page

	mutex sync.Mutex
	there map[string]map[string]json.RawMessage
	dying bool // in the midst of the next deletion
	dead  bool // it answers nobody
}

// newPaged is a bucket whose lists have so many vectors, and indexes, on a page at most.
func newPaged(t testing.TB, vectors, indexes int) *api {
	t.Helper()
	a, _ := newMortal(t, vectors, indexes)
	return a
}

// newMortal is one that can be killed.
func newMortal(t testing.TB, vectors, indexes int) (*api, *paged) {
	t.Helper()
	p := &paged{vectors: vectors, indexes: indexes, there: map[string]map[string]json.RawMessage{}}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return newBucket(t, server.URL), p
}

// kill ends the service in the midst of the next deletion.
func (p *paged) kill() { p.live(true) }

func (p *paged) restart() { p.live(false) }

func (p *paged) live(dying bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.dying, p.dead = dying, false
}

// asked is any request.
type asked struct {
	IndexName, NextToken string
	MaxResults           int
	ReturnMetadata       bool
	Keys                 []string
	Vectors              []entry
}

type entry struct {
	Key      string          `json:"key"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

func (p *paged) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.dead {
		panic(http.ErrAbortHandler)
	}
	var in asked
	_ = json.NewDecoder(r.Body).Decode(&in) // then nothing is asked for
	index, there := p.there[in.IndexName]
	if !there && strings.HasSuffix(r.URL.Path, "Vectors") {
		refuse(w, http.StatusNotFound, "NotFoundException")
		return
	}
	answer := map[string]any{}
	switch r.URL.Path {
	case "/CreateIndex":
		p.there[in.IndexName] = map[string]json.RawMessage{}
	case "/DeleteIndex":
		delete(p.there, in.IndexName)
	case "/ListIndexes":
		names, next := cut(slices.Sorted(maps.Keys(p.there)), in, p.indexes)
		list := []map[string]string{}
		for _, name := range names {
			list = append(list, map[string]string{"indexName": name})
		}
		answer["indexes"], answer["nextToken"] = list, next
	case "/PutVectors":
		for _, one := range in.Vectors {
			index[one.Key] = one.Metadata
		}
	case "/ListVectors":
		keys, next := cut(slices.Sorted(maps.Keys(index)), in, p.vectors)
		answer["vectors"], answer["nextToken"] = describe(index, keys, in.ReturnMetadata), next
	case "/GetVectors":
		if len(in.Keys) > 100 {
			refuse(w, http.StatusBadRequest, "ValidationException")
			return
		}
		answer["vectors"] = describe(index, in.Keys, in.ReturnMetadata)
	case "/DeleteVectors":
		if len(in.Keys) > 500 {
			refuse(w, http.StatusBadRequest, "ValidationException")
			return
		}
		if p.dying {
			in.Keys, p.dead = in.Keys[:len(in.Keys)/2], true
		}
		for _, key := range in.Keys {
			delete(index, key)
		}
		if p.dead {
			panic(http.ErrAbortHandler)
		}
	}
	_ = json.NewEncoder(w).Encode(answer) // a client that is gone misses it
}

// cut is a page of what comes after a token.
func cut(all []string, in asked, largest int) (page []string, next any) {
	from, _ := slices.BinarySearch(all, in.NextToken)
	if in.NextToken != "" && from < len(all) && all[from] == in.NextToken {
		from++
	}
	all = all[from:]
	if n := min(largest, max(in.MaxResults, 1)); len(all) > n {
		return all[:n], all[n-1]
	}
	return all, nil
}

func describe(index map[string]json.RawMessage, keys []string, metadata bool) []entry {
	list := []entry{}
	for _, key := range keys {
		one := entry{Key: key}
		if metadata {
			one.Metadata = index[key]
		}
		if _, there := index[key]; there {
			list = append(list, one)
		}
	}
	return list
}

func refuse(w http.ResponseWriter, status int, kind string) {
	w.Header().Set("X-Amzn-ErrorType", kind)
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":"it says %s"}`, kind)
}
