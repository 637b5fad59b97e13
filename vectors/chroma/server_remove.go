package chroma

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"

	"pruned/vectors"
)

const (
	// filesAtOnce bounds a question about several files, chunksAtOnce what is
	// listed or deleted by one request: the server deletes about 3,000 a
	// second, and lets nobody else write meanwhile.
	filesAtOnce       = 500
	chunksAtOnce      = 1000
	collectionsAtOnce = 500
)

// collection is what we read of one.
type collection struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Remove removes without asking anybody.
func (s *Server) Remove(ctx context.Context, _ vectors.Tx, ids []string) (removed vectors.Removed, err error) {
	return s.RemoveGuarded(ctx, ids, vectors.AllowAll)
}

// RemoveGuarded drops the files' own collections, and deletes their chunks from
// every shared one, until it finds none. Nothing waits: what the server says it
// deleted is gone.
func (s *Server) RemoveGuarded(ctx context.Context, ids []string, guard vectors.Guard) (removed vectors.Removed, err error) {
	if len(ids) == 0 {
		return removed, nil
	}
	if err := s.requireDatabase(ctx); err != nil {
		return removed, err
	}
	for _, id := range ids {
		chunks, err := s.dropCollection(ctx, vectors.FileCollection(id), id, guard)
		if err != nil {
			return removed, fmt.Errorf("drop the collection of file %s: %w", id, err)
		}
		removed.Chunks += chunks
	}
	for c, err := range s.listCollections(ctx) {
		if err != nil {
			return removed, err
		}
		if !vectors.IsShared(c.Name) {
			continue
		}
		for some := range slices.Chunk(ids, filesAtOnce) {
			chunks, err := s.deleteChunks(ctx, c, some, guard)
			if err != nil {
				return removed, err
			}
			removed.Chunks += chunks
		}
	}
	return removed, nil
}

// dropCollection deletes a whole collection, which goes by name; everything else goes by
// id. subject is what the guard knows it by.
func (s *Server) dropCollection(ctx context.Context, name, subject string, guard vectors.Guard) (chunks int64, err error) {
	c, found, err := s.findCollection(ctx, name)
	if err != nil || !found {
		return 0, err
	}
	if chunks, err = s.countChunks(ctx, c); err != nil {
		return 0, err
	}
	if may, err := guard(ctx, []string{subject}); err != nil || len(may) == 0 {
		return 0, err
	}
	_, err = s.callAPI(ctx, requestPatience, http.MethodDelete, s.namedPath(name), nil, nil)
	return chunks, err
}

// findCollection returns the collection of that name, if there is one.
func (s *Server) findCollection(ctx context.Context, name string) (c collection, found bool, err error) {
	found, err = s.callAPI(ctx, silencePatience, http.MethodGet, s.namedPath(name), nil, &c)
	return c, found && c.Name == name, err
}

func (s *Server) namedPath(name string) string {
	return s.database + "/collections/" + url.PathEscape(name)
}

func (s *Server) countChunks(ctx context.Context, c collection) (chunks int64, err error) {
	_, err = s.callAPI(ctx, silencePatience, http.MethodGet, s.collectionPath(c, "count"), nil, &chunks)
	return chunks, err
}

func (s *Server) collectionPath(c collection, verb string) string {
	return s.database + "/collections/" + url.PathEscape(c.ID) + "/" + verb
}

// listCollections lists all of them. One that is made or dropped meanwhile may hide
// another; that one is found the next time.
func (s *Server) listCollections(ctx context.Context) iter.Seq2[collection, error] {
	return func(yield func(collection, error) bool) {
		for offset := 0; ; offset += collectionsAtOnce {
			var page []collection
			path := fmt.Sprintf("%s/collections?limit=%d&offset=%d", s.database, collectionsAtOnce, offset)
			if _, err := s.callAPI(ctx, silencePatience, http.MethodGet, path, nil, &page); err != nil {
				yield(collection{}, fmt.Errorf("list the collections: %w", err))
				return
			}
			for _, c := range page {
				if !yield(c, nil) {
					return
				}
			}
			if len(page) < collectionsAtOnce {
				return
			}
		}
	}
}

// selection is a question for chunks, or a request to delete them.
type selection struct {
	IDs    []string `json:"ids,omitempty"`
	Where  any      `json:"where,omitempty"`
	Limit  int      `json:"limit,omitempty"`
	Offset int      `json:"offset,omitempty"`
	// Include is what to list of chunks besides their ids; of nothing, also
	// their whole text comes.
	Include []string `json:"include,omitzero"`
}

// deleteChunks deletes the chunks of some files from a shared collection, and
// looks again until there are none: the ids of a page are deleted, not whatever
// fits by then, so that each request is short. What is not Open WebUI's is passed
// over. A page that may hold chunks of a file which must keep them is asked for
// again without it.
func (s *Server) deleteChunks(ctx context.Context, c collection, files []string, guard vectors.Guard) (chunks int64, err error) {
	for last, offset := "", 0; len(files) > 0; {
		page, read, err := s.readChunkPage(ctx, c, files, offset)
		if err != nil || read == 0 {
			return chunks, err
		}
		offset += read - len(page)
		if len(page) == 0 {
			continue
		}
		if page[0].id == last {
			return chunks, s.describeDisobedience(c, last)
		}
		may, err := guard(ctx, files)
		if err != nil {
			return chunks, err
		}
		if len(may) < len(files) {
			files, offset = may, 0
			continue
		}
		last = page[0].id
		ids := make([]string, len(page))
		for i, one := range page {
			ids[i] = one.id
		}
		if err := s.deleteIDs(ctx, c, ids); err != nil {
			return chunks, err
		}
		chunks += int64(len(ids))
	}
	return chunks, nil
}

func (s *Server) deleteIDs(ctx context.Context, c collection, ids []string) error {
	if _, err := s.callAPI(ctx, requestPatience, http.MethodPost, s.collectionPath(c, "delete"), selection{IDs: ids}, nil); err != nil {
		return fmt.Errorf("delete %d chunks from collection %s: %w", len(ids), c.Name, err)
	}
	return nil
}

func (s *Server) describeDisobedience(c collection, id string) error {
	return unusable("the Chroma server at %s does not delete chunk %s of collection %s, though it says so", s.base.Host, id, c.Name)
}
