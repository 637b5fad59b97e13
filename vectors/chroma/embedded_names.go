package chroma

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"pruned/vectors"
)

// sharedOnes is the condition that chunk m of collection c is one of Open WebUI's,
// in a collection that holds those of several files: vectors.IsShared in SQLite's
// own patterns, which have no counts.
var sharedOnes = `(c.name GLOB '` + strings.Join([]string{hexDigits(8), hexDigits(4), hexDigits(4), hexDigits(4), hexDigits(12)}, "-") +
	`' OR c.name GLOB '` + hexDigits(63) + `' OR c.name GLOB '` + hexDigits(64) + `')
   AND EXISTS (SELECT 1 FROM embedding_metadata n WHERE n.id = m.id AND n.key = '` + vectors.NameKey + `')`

func hexDigits(digits int) string { return strings.Repeat("[0-9a-f]", digits) }

// ownHoldingsSQL looks for one chunk of each own collection that names its maker.
const ownHoldingsSQL = `
  WITH own AS MATERIALIZED (
       SELECT id, name FROM collections
        WHERE database_id = ?1 AND name IN (SELECT '` + ownPrefix + `' || value FROM json_each(?2)))
SELECT substr(own.name, 6), own.name, coalesce((
       SELECT n.string_value FROM embeddings e CROSS JOIN embedding_metadata n ON n.id = e.id AND n.key = '` + makerKey + `'
        WHERE e.segment_id = s.id LIMIT 1), '')
  FROM segments s CROSS JOIN own ON own.id = s.collection
 WHERE s.scope = 'METADATA'`

var sharedHoldingsSQL = `
SELECT m.string_value, c.name, coalesce(min((
       SELECT n.string_value FROM embedding_metadata n WHERE n.id = m.id AND n.key = '` + makerKey + `')), '')
  FROM embedding_metadata m JOIN embeddings e ON e.id = m.id
  JOIN segments s ON s.id = e.segment_id JOIN collections c ON c.id = s.collection
 WHERE m.key = '` + fileKey + `' AND m.string_value IN (SELECT value FROM json_each(?2))
   AND c.database_id = ?1 AND ` + sharedOnes + `
 GROUP BY 1, 2`

// Holdings asks about some hundred files at a time.
func (e *Embedded) Holdings(ctx context.Context, files []string) (list []vectors.Holding, err error) {
	err = e.withSession(ctx, "look where the chunks of files lie in the embedded Chroma", func(s *session) error {
		for some := range slices.Chunk(files, groupOf) {
			for _, sql := range []string{ownHoldingsSQL, sharedHoldingsSQL} {
				found, err := queryList(ctx, s, func(h *vectors.Holding) []any { return []any{&h.FileID, &h.Collection, &h.CreatedBy} },
					sql, s.database, jsonArray(some))
				list = append(list, found...)
				if err != nil {
					return fmt.Errorf("look for the chunks of %d files: %w", len(some), err)
				}
			}
		}
		return nil
	})
	return list, err
}

// Strange reads the names of all collections.
func (e *Embedded) Strange(ctx context.Context) (names []string, err error) {
	err = e.withSession(ctx, "list the collections of others in the embedded Chroma", func(s *session) error {
		return s.queryEach(ctx, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			if len(names) < vectors.MaxStrange && !vectors.IsKnown(name) {
				names = append(names, name)
			}
			return err
		}, `SELECT name FROM collections WHERE database_id = ?1 ORDER BY name`, s.database)
	})
	return names, err
}
