package sqlite

import (
	"context"
	"maps"
	"slices"
	"time"

	"pruned/repo"
)

// markPage is how many candidates are looked up, or written, at once.
const markPage = 1000

const markRowsSQL = `INSERT INTO pruned_candidate (file_id, direction, first_seen, seen_at)
	SELECT value, 'row', ?2, ?2 FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`

const unmarkRowsSQL = `DELETE FROM pruned_candidate WHERE direction = 'row' AND file_id IN (SELECT value FROM json_each(?1))`

// UpsertRowCandidates makes the candidates among rows those that no living row mentions, as
// of the last pass. What changed since does no harm: each event is checked again.
func (db *DB) UpsertRowCandidates(ctx context.Context, t repo.Tx, _ int64) error {
	tx := sqliteTx(t)
	q := sweepView{tx}
	if !tx.locked {
		if err := db.mutex.lock(ctx); err != nil {
			return err
		}
		defer db.mutex.unlock()
	}
	if !db.index.complete {
		return incompleteError()
	}
	files, err := queryColumn[string](ctx, q, `SELECT CAST(id AS TEXT) FROM file WHERE id IS NOT NULL`)
	if err != nil {
		return translate(err, "list the files")
	}
	was, err := querySet(ctx, q, `SELECT file_id FROM pruned_candidate WHERE direction = 'row'`)
	if err != nil {
		return translate(err, "list the candidates")
	}
	now := toMicros(time.Now())
	var fresh []string
	for page := range slices.Chunk(files, markPage) {
		free, err := db.findUnreferenced(ctx, q, page)
		if err != nil {
			return err
		}
		kept, err := findKept(ctx, q, free)
		if err != nil {
			return err
		}
		for _, id := range free {
			switch {
			case kept[id]:
			case was[id]:
				delete(was, id)
			default:
				fresh = append(fresh, id)
			}
		}
	}
	for page := range slices.Chunk(slices.Collect(maps.Keys(was)), markPage) {
		if err := tx.deferred.enqueue(ctx, statement{unmarkRowsSQL, []any{jsonList(page)}}); err != nil {
			return err
		}
	}
	for page := range slices.Chunk(fresh, markPage) {
		if err := tx.deferred.enqueue(ctx, statement{markRowsSQL, []any{jsonList(page), now}}); err != nil {
			return err
		}
	}
	return nil
}

// findUnreferenced are those of the ids that nothing mentions.
func (db *DB) findUnreferenced(ctx context.Context, q querier, ids []string) (free []string, err error) {
	mentioned, err := db.index.findLiving(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, is := mentioned[id]; !is && db.index.isIndexed(id) {
			free = append(free, id)
		}
	}
	return free, nil
}
