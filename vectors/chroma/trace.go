package chroma

import (
	"context"
	"fmt"
	"net/http"

	"pruned/repo/trace"
)

var (
	_ trace.Searcher = (*Embedded)(nil)
	_ trace.Searcher = (*Server)(nil)
)

// Trace searches every table of the file. Without one there is nothing.
func (e *Embedded) Trace(ctx context.Context, s *trace.Search) error {
	return e.withSession(ctx, "search the embedded Chroma", func(opened *session) error {
		return s.SQLite(ctx, databaseFile, opened.conn)
	})
}

const (
	serverStore = "chroma"
	// tracedAtOnce bounds a page of chunks with their texts.
	tracedAtOnce = 200
)

// tracedChunks are what the server tells of chunks, all but the vectors.
type tracedChunks struct {
	IDs       []string         `json:"ids"`
	Documents []string         `json:"documents"`
	Metadatas []map[string]any `json:"metadatas"`
}

// Trace reads every collection of our database, whoever made it: its name, and of each
// chunk id, metadata and text. What the server deleted it does not show any more.
func (s *Server) Trace(ctx context.Context, search *trace.Search) error {
	if err := s.requireDatabase(ctx); err != nil {
		return err
	}
	for c, err := range s.listCollections(ctx) {
		if err != nil {
			return err
		}
		if err := search.AddCount(trace.Place{Store: serverStore, Table: c.Name, Column: "name", Count: search.Count([]byte(c.Name))}); err != nil {
			return err
		}
		if err := s.traceCollection(ctx, search, c); err != nil {
			return err
		}
		search.NoteSearched(serverStore, c.Name)
	}
	return nil
}

func (s *Server) traceCollection(ctx context.Context, search *trace.Search, c collection) error {
	for offset := 0; ; offset += tracedAtOnce {
		var page tracedChunks
		ask := selection{Limit: tracedAtOnce, Offset: offset, Include: []string{"metadatas", "documents"}}
		if _, err := s.callAPI(ctx, silencePatience, http.MethodPost, s.collectionPath(c, "get"), ask, &page); err != nil {
			return err
		}
		for i, id := range page.IDs {
			if err := traceChunk(search, c.Name, id, page, i); err != nil {
				return err
			}
		}
		search.Progress(serverStore+" "+c.Name, int64(offset+len(page.IDs)), 0)
		if len(page.IDs) < tracedAtOnce {
			return nil
		}
	}
}

func traceChunk(search *trace.Search, collection, id string, page tracedChunks, i int) error {
	values := map[string]any{"id": id}
	if i < len(page.Documents) {
		values["text"] = page.Documents[i]
	}
	if i < len(page.Metadatas) {
		for key, value := range page.Metadatas[i] {
			values["metadata "+key] = value
		}
	}
	for column, value := range values {
		n := search.Count([]byte(fmt.Sprint(value)))
		if err := search.AddCount(trace.Place{Store: serverStore, Table: collection, Row: id, Column: column, Count: n}); err != nil {
			return err
		}
	}
	return nil
}
