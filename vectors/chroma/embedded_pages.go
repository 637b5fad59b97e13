package chroma

import (
	"context"

	"pruned/vectors"
)

// Conditions on collection c.
const (
	anyName = "true"
	// ownNames is the range of what begins with file-, otherNames what does not.
	ownNames   = `c.name > '` + ownPrefix + `' AND c.name < 'file.'`
	otherNames = `(c.name < '` + ownPrefix + `' OR c.name >= 'file.')`
)

// segmentsPageSQL is a page of the segments of metadata, each with the name and the chunks of
// its collection, or without where the condition does not hold for that. Table segments has
// no index on collections: whoever went from collections to segments would read all of it
// for each page, and Chroma cannot commit meanwhile.
func segmentsPageSQL(condition string) string {
	return `
SELECT p.id, coalesce(c.name, ''), CASE WHEN c.id IS NULL THEN 0 ELSE (SELECT count(*) FROM embeddings e WHERE e.segment_id = p.id) END
  FROM (SELECT id, collection FROM segments WHERE id > ?2 AND scope = 'METADATA' ORDER BY id LIMIT ?3) p
  LEFT JOIN collections c ON c.id = p.collection AND c.database_id = ?1 AND ` + condition + `
 ORDER BY p.id`
}

// bareSQL lists the collections that have no such segment, if there are any.
func bareSQL(condition string) string {
	return `
SELECT c.name, 0 FROM collections c
 WHERE c.database_id = ?1 AND c.name > ?2 AND ` + condition + `
   AND c.id NOT IN (SELECT collection FROM segments WHERE scope = 'METADATA')
 ORDER BY c.name LIMIT ?3`
}

const collectionsAPage = 200

// listCollections lists those of our database with the number of their chunks. It reads a
// page before it tells of it, so that no statement is open meanwhile.
func (s *session) listCollections(ctx context.Context, condition string, each func(vectors.Collection) error) error {
	for after, full := "", true; full; {
		var found []vectors.Collection
		read := 0
		err := s.queryEach(ctx, func(scan func(...any) error) error {
			var c vectors.Collection
			err := scan(&after, &c.Name, &c.Chunks)
			if c.Name != "" {
				found = append(found, c)
			}
			read++
			return err
		}, segmentsPageSQL(condition), s.database, after, collectionsAPage)
		if err != nil {
			return err
		}
		for _, c := range found {
			if err := each(c); err != nil {
				return err
			}
		}
		full = read == collectionsAPage
	}
	return s.listNames(ctx, bareSQL(condition), "", each)
}

// markedNamesSQL lists those that were taken away and are not yet cleared.
const markedNamesSQL = `
SELECT DISTINCT str_value, 0 FROM segment_metadata
 WHERE ?1 <> '' AND key = '` + markKey + `' AND str_value > ?2 ORDER BY 1 LIMIT ?3`

func (s *session) listMarked(ctx context.Context, after string, each func(vectors.Collection) error) error {
	return s.listNames(ctx, markedNamesSQL, after, each)
}

// listNames lists by name, page by page as well.
func (s *session) listNames(ctx context.Context, sql, after string, each func(vectors.Collection) error) error {
	for {
		page, err := queryList(ctx, s, collectionFields, sql, s.database, after, collectionsAPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, c := range page {
			after = c.Name
			if err := each(c); err != nil {
				return err
			}
		}
	}
}
