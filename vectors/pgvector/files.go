package pgvector

import (
	"context"
	"fmt"
	"iter"

	"pruned/vectors"
)

// byIndex has statements read an index in its order, also where there are no
// statistics, or where the table would be quicker read but has to be sorted.
const byIndex = `
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_sort = off;
SET LOCAL enable_hashagg = off`

const byTable = `
SET LOCAL enable_seqscan TO DEFAULT;
SET LOCAL enable_bitmapscan TO DEFAULT;
SET LOCAL enable_sort TO DEFAULT;
SET LOCAL enable_hashagg TO DEFAULT`

// ownFilesSQL counts from the index on the collection alone, as far as the
// table has been vacuumed.
const ownFilesSQL = `
SELECT substr(collection_name, 6), '', count(*)
  FROM ONLY {table}
 WHERE collection_name LIKE 'file-_%'
 GROUP BY collection_name`

// sharedFilesSQL reads the table: no index has both the file and the collection. Whether a
// name is one of Open WebUI's is not asked for each row that is plain, but before any is
// decrypted: what is another program's is not looked into. What cannot be decrypted is nobody's.
func (t *table) sharedFilesSQL() string {
	candidates := unowned + ` AND length(collection_name) IN (36, 63, 64) AND {named}`
	if t.encrypted {
		candidates = shared
	}
	return t.expandNames(`
SELECT id, name, chunks
  FROM (SELECT id, name, count(*)
          FROM (SELECT {file_id}, collection_name FROM ONLY {table}
                 WHERE ` + candidates + `) AS c (id, name)
         GROUP BY id, name OFFSET 0) AS f (id, name, chunks)
 WHERE ` + sharedCondition("name") + ` AND id NOT IN ('', '` + unreadable + `')`)
}

// Files lists the files that have chunks: those with an own collection from its
// index, those in shared ones from the whole table.
func (s *chunkTable) Files(ctx context.Context) iter.Seq2[vectors.File, error] {
	return func(yield func(vectors.File, error) bool) {
		wanted := true
		err := s.inTableTx(ctx, "list the files that have chunks", func(tx ownTx, t *table) error {
			return s.listFiles(ctx, tx, t, func(f vectors.File) bool {
				wanted = yield(f, nil)
				return wanted
			})
		})
		if err != nil && wanted {
			yield(vectors.File{}, err)
		}
	}
}

// listFiles yields what the queries of a listing return, until no more is wanted.
func (s *chunkTable) listFiles(ctx context.Context, tx ownTx, t *table, yield func(vectors.File) bool) error {
	queries, err := s.fileQueries(ctx, tx, t)
	if err != nil {
		return err
	}
	for _, q := range queries {
		more, err := q.yieldFiles(ctx, tx, yield)
		if err != nil {
			return fmt.Errorf("list the files of %s: %w", t.quotedName(), err)
		}
		if !more {
			return nil
		}
	}
	return nil
}

// fileQuery is one query of a listing, and how it is to be run.
type fileQuery struct {
	settings, sql string
	args          []any
}

// fileQueries is the queries that list every file: first those with an own
// collection, then those in shared ones.
func (s *chunkTable) fileQueries(ctx context.Context, tx ownTx, t *table) ([]fileQuery, error) {
	own := fileQuery{settings: byIndex, sql: t.expandNames(ownFilesSQL)}
	if t.encrypted {
		if err := s.checkKey(ctx, tx, t); err != nil {
			return nil, err
		}
		// The key is its only parameter.
		decrypting := *t
		decrypting.fileID = encryptedFileID(1)
		return []fileQuery{own, {byTable, decrypting.sharedFilesSQL(), t.withKey(s.key)}}, nil
	}
	return []fileQuery{own, {settings: byTable, sql: t.sharedFilesSQL()}}, nil
}

// yieldFiles yields what the query returns, and says whether more is wanted.
func (q fileQuery) yieldFiles(ctx context.Context, tx ownTx, yield func(vectors.File) bool) (more bool, err error) {
	if _, err := tx.Exec(ctx, q.settings); err != nil {
		return false, err
	}
	rows, _ := tx.Query(ctx, q.sql, q.args...) // an error comes out of the rows as well
	defer rows.Close()
	var f vectors.File
	for rows.Next() {
		if err := rows.Scan(&f.ID, &f.Shared, &f.Chunks); err != nil {
			return false, err
		}
		if !yield(f) {
			return false, nil
		}
	}
	return true, rows.Err()
}
