package chroma

import (
	"context"
	"iter"
	"net/http"

	"pruned/vectors"
)

// fileChunk is one of a file's, as its metadata says.
type fileChunk struct{ id, file, maker string }

// answeredChunks are what the server tells of chunks.
type answeredChunks struct {
	IDs       []string         `json:"ids"`
	Metadatas []map[string]any `json:"metadatas"`
}

// listChunks lists, page by page, the chunks of files in a shared collection, or of
// these files. What has no name is not Open WebUI's: the server has no question for
// that. A page may be empty.
func (s *Server) listChunks(ctx context.Context, c collection, files []string) iter.Seq2[[]fileChunk, error] {
	return func(yield func([]fileChunk, error) bool) {
		for offset := 0; ; offset += chunksAtOnce {
			page, read, err := s.readChunkPage(ctx, c, files, offset)
			if !yield(page, err) || err != nil || read < chunksAtOnce {
				return
			}
		}
	}
}

// readChunkPage is one page, and how many chunks were read for it.
func (s *Server) readChunkPage(ctx context.Context, c collection, files []string, offset int) (page []fileChunk, read int, err error) {
	var found answeredChunks
	ask := selection{Limit: chunksAtOnce, Offset: offset, Include: []string{"metadatas"}}
	if len(files) > 0 {
		ask.Where = map[string]any{fileKey: map[string]any{"$in": files}}
	}
	if _, err := s.callAPI(ctx, silencePatience, http.MethodPost, s.collectionPath(c, "get"), ask, &found); err != nil {
		return nil, 0, err
	}
	for i, metadata := range found.Metadatas[:min(len(found.Metadatas), len(found.IDs))] {
		file, _ := metadata[fileKey].(string)
		maker, _ := metadata[makerKey].(string)
		if _, named := metadata[vectors.NameKey]; named && file != "" {
			page = append(page, fileChunk{found.IDs[i], file, maker})
		}
	}
	return page, len(found.IDs), nil
}

// Holdings asks each own collection for a chunk, and lists those of the files in
// shared ones.
func (s *Server) Holdings(ctx context.Context, ids []string) (list []vectors.Holding, err error) {
	if err := s.requireDatabase(ctx); err != nil || len(ids) == 0 {
		return nil, err
	}
	for _, id := range ids {
		held, err := s.findOwnHolding(ctx, id)
		if err != nil {
			return nil, err
		}
		list = append(list, held...)
	}
	for c, err := range s.listCollections(ctx) {
		if err != nil {
			return nil, err
		}
		if !vectors.IsShared(c.Name) {
			continue
		}
		seen := map[string]bool{}
		for page, err := range s.listChunksOfMany(ctx, c, ids) {
			if err != nil {
				return nil, err
			}
			for _, one := range page {
				if !seen[one.file] {
					seen[one.file] = true
					list = append(list, vectors.Holding{FileID: one.file, Collection: c.Name, CreatedBy: one.maker})
				}
			}
		}
	}
	return list, nil
}

// listChunksOfMany is listChunks for as many files as one question takes, and the next.
func (s *Server) listChunksOfMany(ctx context.Context, c collection, ids []string) iter.Seq2[[]fileChunk, error] {
	return func(yield func([]fileChunk, error) bool) {
		for ; len(ids) > 0; ids = ids[min(len(ids), filesAtOnce):] {
			for page, err := range s.listChunks(ctx, c, ids[:min(len(ids), filesAtOnce)]) {
				if !yield(page, err) {
					return
				}
			}
		}
	}
}

// findOwnHolding looks at one chunk of a file's own collection, if there is one.
func (s *Server) findOwnHolding(ctx context.Context, id string) ([]vectors.Holding, error) {
	c, found, err := s.findCollection(ctx, vectors.FileCollection(id))
	if err != nil || !found {
		return nil, err
	}
	var chunk answeredChunks
	ask := selection{Limit: 1, Include: []string{"metadatas"}}
	if _, err := s.callAPI(ctx, silencePatience, http.MethodPost, s.collectionPath(c, "get"), ask, &chunk); err != nil {
		return nil, err
	}
	held := vectors.Holding{FileID: id, Collection: c.Name}
	if len(chunk.Metadatas) > 0 {
		held.CreatedBy, _ = chunk.Metadatas[0][makerKey].(string)
	}
	return []vectors.Holding{held}, nil
}

// Strange reads the names of all collections.
func (s *Server) Strange(ctx context.Context) (names []string, err error) {
	if err := s.requireDatabase(ctx); err != nil {
		return nil, err
	}
	for c, err := range s.listCollections(ctx) {
		if err != nil {
			return nil, err
		}
		if len(names) < vectors.MaxStrange && !vectors.IsKnown(c.Name) {
			names = append(names, c.Name)
		}
	}
	return names, nil
}
