package chroma

import (
	"context"
	"errors"
	"iter"
	"slices"

	"pruned/vectors"
)

// chunksPageSQL is pointsPageSQL of what names a file as the application does; no list of
// files is all of them.
const chunksPageSQL = `
SELECT e.segment_id, e.embedding_id, f.string_value
  FROM embeddings e JOIN embedding_metadata f ON f.id = e.id AND f.key = '` + fileKey + `' AND f.string_value <> ''
 WHERE e.segment_id IN (SELECT value FROM json_each(?1)) AND e.embedding_id > ?2
   AND (?4 = '' OR f.string_value IN (SELECT value FROM json_each(?4)))
   AND EXISTS (SELECT 1 FROM embedding_metadata n WHERE n.id = e.id AND n.key = '` + vectors.NameKey + `')
 ORDER BY e.segment_id, e.embedding_id LIMIT ?3`

// ListChunks lists chunks that wait for their deletion too.
func (e *Embedded) ListChunks(ctx context.Context, knowledge, files []string) iter.Seq2[vectors.FileChunk, error] {
	return func(yield func(vectors.FileChunk, error) bool) {
		some := "" // files
		if len(files) > 0 {
			some = jsonArray(distinct(files))
		}
		err := vectors.CheckKnowledge(knowledge)
		if err == nil && len(knowledge) > 0 {
			err = e.withSession(ctx, "list the chunks of knowledge bases in the embedded Chroma", func(s *session) error {
				for names := range slices.Chunk(distinct(knowledge), groupOf) {
					err := s.listEntries(ctx, names, chunksPageSQL, some, func(c entry) bool {
						return yield(vectors.FileChunk{Collection: c.collection, FileID: c.file, ID: c.id}, nil)
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(vectors.FileChunk{}, err)
		}
	}
}
