package chroma

import (
	"context"
	"fmt"
	"math"
)

// Every table in which a chunk has more than its row in table embeddings names it by the
// number of that. Chroma writes and deletes all in one transaction. The full text is asked
// by its table of sizes: by itself it would read the texts.
var partTables = []struct{ table, id string }{
	{"embedding_metadata", "id"},
	{"embedding_metadata_array", "id"},
	{"embedding_fulltext_search_docsize", "id"},
}

const partsAPage = 2000

// partsSQL is a page of a table's numbers, and which of them have no chunk. A number that
// an earlier table has was found there.
func partsSQL(n int) string {
	lost := "NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.id = p.id)"
	for _, earlier := range partTables[:n] {
		lost += fmt.Sprintf(" AND NOT EXISTS (SELECT 1 FROM %s o WHERE o.%s = p.id)", earlier.table, earlier.id)
	}
	return fmt.Sprintf(`SELECT p.id, %s FROM (SELECT DISTINCT %[2]s AS id FROM %[3]s WHERE %[2]s > ? ORDER BY %[2]s LIMIT ?) p`,
		lost, partTables[n].id, partTables[n].table)
}

// visitParts goes through what chunks have in other tables.
func (r *lostRows) visitParts(ctx context.Context) error {
	for n := range partTables {
		if err := r.visitPart(ctx, partsSQL(n)); err != nil {
			return fmt.Errorf("table %s: %w", partTables[n].table, err)
		}
	}
	return nil
}

func (r *lostRows) visitPart(ctx context.Context, query string) error {
	for after := int64(math.MinInt64); ; {
		var ids []int64
		page := 0
		err := r.queryEach(ctx, func(scan func(...any) error) error {
			var lost bool
			err := scan(&after, &lost)
			if lost {
				ids = append(ids, after)
			}
			page++
			return err
		}, query, after, partsAPage)
		if err == nil {
			err = r.dropParts(ctx, ids)
		}
		if err != nil || page < partsAPage {
			return err
		}
	}
}

// stillLostSQL says which of these numbers have no chunk now.
const stillLostSQL = `SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM embeddings)`

// dropParts counts numbers without a chunk, or removes what they have.
func (r *lostRows) dropParts(ctx context.Context, ids []int64) error {
	for len(ids) > 0 {
		some := ids[:min(len(ids), r.limit(partsAPage))]
		ids = ids[len(some):]
		if !r.remove {
			r.Rows += int64(len(some))
			continue
		}
		var lost []int64
		err := r.change(ctx, func(tx *transaction) (err error) {
			if lost, err = queryColumn[int64](ctx, r.session, stillLostSQL, jsonArray(some)); err != nil {
				return err
			}
			return tx.execEach(rowsSQL, jsonArray(lost)) // of embeddings it finds none
		})
		if err != nil {
			return err
		}
		r.Rows += int64(len(lost))
	}
	return nil
}

// entries are the rows about segments and collections themselves. When a segment is gone its
// folder is one that was left behind, and a chunk that is too young still a lost one.
var entries = []struct{ table, lost string }{
	{"max_seq_id", lostSegment("max_seq_id.segment_id")},
	{"segment_metadata", lostSegment("segment_metadata.segment_id")},
	{"collection_metadata", "collection_id NOT IN (SELECT id FROM collections)"},
	{"segments", lostSegment("segments.id")},
}

// visitEntries goes through the small tables, which say nothing of an age.
func (r *lostRows) visitEntries(ctx context.Context) error {
	for _, e := range entries {
		if !r.remove {
			count, err := queryColumn[int64](ctx, r.session, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", e.table, e.lost))
			if err != nil {
				return err
			}
			r.Rows += count[0]
			continue
		}
		if err := r.deleteEntries(ctx, e.table, e.lost); err != nil {
			return err
		}
	}
	return nil
}

func (r *lostRows) deleteEntries(ctx context.Context, table, lost string) error {
	found, removal := fmt.Sprintf("SELECT rowid FROM %s WHERE %s LIMIT ?", table, lost),
		fmt.Sprintf("DELETE FROM %s WHERE rowid IN (SELECT value FROM json_each(?)) AND %s", table, lost)
	for {
		rows, err := queryColumn[int64](ctx, r.session, found, mostRows)
		if err != nil || len(rows) == 0 {
			return err
		}
		var gone int64
		err = r.change(ctx, func(tx *transaction) (err error) {
			gone, err = tx.countChanged(removal, jsonArray(rows))
			return err
		})
		if err != nil {
			return err
		}
		r.Rows += gone
	}
}
