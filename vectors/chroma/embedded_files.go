package chroma

import (
	"context"
	"errors"
	"iter"

	"pruned/vectors"
)

var collectionsSQL = `
SELECT '` + ownPrefix + `' || ?2, count(*)
  FROM segments s CROSS JOIN embeddings e ON e.segment_id = s.id
 WHERE s.collection = (SELECT id FROM collections WHERE database_id = ?1 AND name = '` + ownPrefix + `' || ?2)
 GROUP BY s.collection
 UNION ALL
SELECT c.name, count(*)
  FROM embedding_metadata m JOIN embeddings e ON e.id = m.id
  JOIN segments s ON s.id = e.segment_id JOIN collections c ON c.id = s.collection
 WHERE m.key = '` + fileKey + `' AND m.string_value = ?2
   AND c.database_id = ?1 AND ` + sharedOnes + `
 GROUP BY c.id
 ORDER BY 1`

// Collections counts a file's chunks, those that wait for their deletion too.
func (e *Embedded) Collections(ctx context.Context, id string) (list []vectors.Collection, err error) {
	err = e.withSession(ctx, "list the collections of file "+id+" in the embedded Chroma", func(s *session) error {
		list, err = queryList(ctx, s, collectionFields, collectionsSQL, s.database, id)
		return err
	})
	return list, err
}

func collectionFields(c *vectors.Collection) []any { return []any{&c.Name, &c.Chunks} }

// errStop ends a listing that nobody wants to the end.
var errStop = errors.New("stop")

// Files lists own collections by name, and what chunks in shared ones say.
func (e *Embedded) Files(ctx context.Context) iter.Seq2[vectors.File, error] {
	return func(yield func(vectors.File, error) bool) {
		err := e.withSession(ctx, "list the files in the embedded Chroma", func(s *session) error {
			each := func(f vectors.File) error {
				if f.ID != "" && !yield(f, nil) {
					return errStop
				}
				return nil
			}
			own := func(c vectors.Collection) error {
				if id, own := vectors.CollectionOwner(c.Name); own {
					return each(vectors.File{ID: id, Chunks: c.Chunks})
				}
				return nil
			}
			if err := s.listCollections(ctx, ownNames, own); err != nil {
				return err
			}
			if err := s.listMarked(ctx, ownPrefix, own); err != nil {
				return err
			}
			return s.listSharedFiles(ctx, each)
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(vectors.File{}, err)
		}
	}
}

// mentionsSQL is a page of what chunks say, by the index on keys and texts; a
// file's own collection says it too. The two forms go on within a file's chunks,
// and from one file to the next.
var mentionsSQL = `
SELECT m.string_value, m.rowid, CASE WHEN c.database_id = ?1 AND ` + sharedOnes + ` THEN c.name ELSE '' END
  FROM embedding_metadata m JOIN embeddings e ON e.id = m.id
  LEFT JOIN segments s ON s.id = e.segment_id LEFT JOIN collections c ON c.id = s.collection
 WHERE m.key = '` + fileKey + `' AND `

var (
	sameFileSQL = mentionsSQL + `m.string_value = ?2 AND m.rowid > ?3 ORDER BY m.rowid LIMIT ?4`
	nextFileSQL = mentionsSQL + `m.string_value > ?2 AND ?3 IS NOT NULL ORDER BY m.string_value, m.rowid LIMIT ?4`
)

const mentionsAPage = 2000

func (s *session) listSharedFiles(ctx context.Context, each func(vectors.File) error) error {
	last, row, sql := "", int64(0), nextFileSQL
	for {
		chunks, rows := map[vectors.File]int64{}, 0
		err := s.queryEach(ctx, func(scan func(...any) error) error {
			var shared string
			if err := scan(&last, &row, &shared); err != nil {
				return err
			}
			if rows++; shared != "" {
				chunks[vectors.File{ID: last, Shared: shared}]++
			}
			return nil
		}, sql, s.database, last, row, mentionsAPage)
		if err != nil {
			return err
		}
		for f, n := range chunks {
			f.Chunks = n
			if err := each(f); err != nil {
				return err
			}
		}
		switch {
		case rows == mentionsAPage:
			sql = sameFileSQL
		case sql == nextFileSQL:
			return nil
		default:
			sql = nextFileSQL
		}
	}
}
