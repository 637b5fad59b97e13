package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/openwebui"
)

// What several pages of one sweep list of a file adds up.
const markListedSQL = `
INSERT INTO pruned_candidate AS c (file_id, direction, store, first_seen, seen_at, sweep, size, chunks, made_at)
SELECT value ->> '$.ID', @direction, @store, @now, @now, @sweep, value ->> '$.Size', value ->> '$.Chunks', value ->> '$.Made'
  FROM json_each(@listed) WHERE true
    ON CONFLICT (direction, file_id) DO UPDATE SET
       size    = excluded.size + CASE c.sweep WHEN excluded.sweep THEN c.size ELSE 0 END,
       chunks  = excluded.chunks + CASE c.sweep WHEN excluded.sweep THEN c.chunks ELSE 0 END,
       made_at = CASE c.sweep WHEN excluded.sweep THEN max(coalesce(c.made_at, excluded.made_at), excluded.made_at) ELSE excluded.made_at END,
       first_seen = CASE WHEN c.store = excluded.store AND (c.direction <> 'collection' OR c.chunks = excluded.chunks) THEN c.first_seen ELSE excluded.first_seen END,
       claimed_at = CASE c.store WHEN excluded.store THEN c.claimed_at END,
       confirmed = c.confirmed AND c.store = excluded.store,
       shown = c.shown AND c.store = excluded.store,
       store = excluded.store, sweep = excluded.sweep, seen_at = excluded.seen_at`

// leftover is what a store holds of one file that has no row.
type leftover struct {
	ID           string
	Size, Chunks int64
	Made         *int64
}

// UpsertListed marks what a store lists of files that have no row, and collections and
// points.
func (db *DB) UpsertListed(ctx context.Context, t repo.Tx, sweep int64, d repo.Direction, store string, listed []repo.Listed) error {
	tx := sqliteTx(t)
	dealtWith, err := db.findHandled(ctx, sweepView{tx}, sweep, d, listed)
	if err != nil {
		return err
	}
	now := time.Now()
	byID := map[string]*leftover{}
	var rest []*leftover
	for i, l := range listed {
		if dealtWith[i] {
			continue
		}
		o := byID[l.FileID]
		if o == nil {
			o = &leftover{ID: l.FileID}
			byID[l.FileID], rest = o, append(rest, o)
		}
		o.Size, o.Chunks = o.Size+l.Size, o.Chunks+l.Chunks
		if made := toMicros(now.Add(-l.Age)); d == repo.FromBytes && (o.Made == nil || made > *o.Made) {
			o.Made = &made
		}
	}
	for some := range slices.Chunk(rest, markPage) {
		if err := tx.deferred.enqueue(ctx, statement{markListedSQL, []any{sql.Named("listed", jsonList(some)),
			sql.Named("direction", string(d)), sql.Named("store", store), sql.Named("sweep", sweep), sql.Named("now", toMicros(now))}}); err != nil {
			return err
		}
	}
	return nil
}

// findHandled says which of what is listed has a row, shares its bytes with one, or
// waits in a tombstone. Of collections and points there are no such rows.
func (db *DB) findHandled(ctx context.Context, q querier, sweep int64, d repo.Direction, listed []repo.Listed) ([]bool, error) {
	if d.IsLeftover() {
		return db.findBuried(ctx, q, d, listed)
	}
	spellings := []string{}
	for _, l := range listed {
		spellings = append(spellings, l.FileID, strings.ToLower(l.FileID), strings.ToUpper(l.FileID))
	}
	there, err := queryColumn[string](ctx, q, `SELECT CAST(id AS TEXT) FROM file WHERE id IN (SELECT value FROM json_each(?1))`, jsonList(spellings))
	if err != nil {
		return nil, translate(err, "look for %d rows of table file", len(listed))
	}
	rows := map[string]bool{}
	for _, id := range there {
		rows[id], rows[mention.Token(id)] = true, rows[mention.Token(id)] || mention.IsUUID(mention.Token(id))
	}
	used := map[string]bool{}
	if d == repo.FromBytes {
		if used, err = db.sweepNames.forSweep(ctx, q, sweep); err != nil {
			return nil, err
		}
	}
	type object struct{ id, name string }
	buried := map[object]bool{}
	var o object
	err = queryEach(ctx, q, `SELECT file_id, name FROM pruned_tombstone WHERE file_id IN (SELECT value FROM json_each(?1)) AND kind = ?2 AND identity = ?3`,
		[]any{jsonList(spellings), d.Kind(), db.identity.Key}, []any{&o.id, &o.name}, func() error { buried[o] = true; return nil })
	if err != nil {
		return nil, translate(err, "look for tombstones")
	}
	result := make([]bool, len(listed))
	for i, l := range listed {
		token := mention.Token(l.FileID)
		result[i] = rows[l.FileID] || mention.IsUUID(token) && rows[token] || l.Name != "" && used[openwebui.BaseName(l.Name)] || buried[object{l.FileID, l.Name}]
	}
	return result, nil
}

// findBuried says which of the collections or points that are listed wait in a tombstone.
func (db *DB) findBuried(ctx context.Context, q querier, d repo.Direction, listed []repo.Listed) ([]bool, error) {
	names := make([]string, len(listed))
	for i, l := range listed {
		names[i] = l.FileID
	}
	buried, err := querySet(ctx, q, `SELECT file_id FROM pruned_tombstone WHERE file_id IN (SELECT value FROM json_each(?1)) AND kind = ?2 AND identity = ?3`,
		jsonList(names), d.Kind(), db.identity.Key)
	result := make([]bool, len(listed))
	for i, name := range names {
		result[i] = buried[name]
	}
	return result, translate(err, "look for tombstones")
}

const (
	dropUnmarkedSQL = `DELETE FROM pruned_candidate WHERE direction = ?1 AND sweep <> ?2`
	dropStaleSQL    = `DELETE FROM pruned_candidate AS c WHERE direction = ?1 AND (sweep <> ?2 OR NOT (` + noRowSQL + `))`
)

// DropStale forgets what the sweep did not mark, and files that have a row by now.
func (db *DB) DropStale(ctx context.Context, t repo.Tx, sweep int64, d repo.Direction) error {
	query := dropStaleSQL
	if d.IsLeftover() {
		query = dropUnmarkedSQL
	}
	return sqliteTx(t).deferred.enqueue(ctx, statement{query, []any{string(d), sweep}})
}
