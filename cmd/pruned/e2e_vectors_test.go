//go:build e2e

package main

import (
	"net/http"
	"strings"
	"testing"
)

// hit is one answer to a query.
type hit struct{ document, file string }

// query lists what a collection answers with, as much as there is.
func (s *vectorServer) query(t *testing.T, collection string) (hits []hit) {
	t.Helper()
	var found struct {
		Documents [][]*string
		Metadatas [][]map[string]any
	}
	s.ask(t, http.MethodPost, "/"+collection+"/query",
		fields{"query_embeddings": [][]int{direction()}, "n_results": 500, "include": []string{"documents", "metadatas"}}, &found)
	for i, text := range found.Documents[0] {
		var one hit
		if text != nil {
			one.document = *text
		}
		one.file, _ = found.Metadatas[0][i]["file_id"].(string)
		hits = append(hits, one)
	}
	return hits
}

// ownerOf is the file whose own collection this is.
func ownerOf(collection string) (file string, own bool) {
	return strings.CutPrefix(collection, "file-")
}
