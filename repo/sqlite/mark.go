package sqlite

import (
	"context"
	"slices"
	"time"

	"pruned/repo"
)

// markPage is how many candidates are looked up, or written, at once.
const markPage = 1000

const markRowsSQL = `INSERT INTO pruned_candidate (file_id, direction, first_seen, seen_at)
	SELECT value, 'row', ?2, ?2 FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`

const unmarkRowsSQL = `DELETE FROM pruned_candidate WHERE direction = 'row' AND file_id IN (SELECT value FROM json_each(?1))`

// MarkRows makes the candidates among rows those that no living row mentions, as
// of the last pass. What changed since is no matter: whoever handles a claim looks
// again.
func (db *DB) MarkRows(ctx context.Context, t repo.Tx, _ int64) error {
	tx := sqliteTx(t)
	q, err := tx.later.reads(ctx, tx)
	if err != nil {
		return err
	}
	if !tx.begun {
		if err := db.turn.take(ctx); err != nil {
			return err
		}
		defer db.turn.giveBack()
	}
	if !db.index.made {
		return incomplete()
	}
	files, err := column[string](ctx, q, `SELECT CAST(id AS TEXT) FROM file WHERE id IS NOT NULL`)
	if err != nil {
		return translate(err, "list the files")
	}
	known, err := column[string](ctx, q, `SELECT file_id FROM pruned_candidate WHERE direction = 'row'`)
	if err != nil {
		return translate(err, "list the candidates")
	}
	was := make(map[string]bool, len(known))
	for _, id := range known {
		was[id] = true
	}
	now := micros(time.Now())
	var fresh []string
	for page := range slices.Chunk(files, markPage) {
		free, err := db.free(ctx, q, page)
		if err != nil {
			return err
		}
		for _, id := range free {
			if was[id] {
				delete(was, id)
			} else {
				fresh = append(fresh, id)
			}
		}
	}
	mentioned := make([]string, 0, len(was))
	for id := range was {
		mentioned = append(mentioned, id)
	}
	for page := range slices.Chunk(mentioned, markPage) {
		if err := tx.later.write(ctx, statement{unmarkRowsSQL, []any{list(page)}}); err != nil {
			return err
		}
	}
	for page := range slices.Chunk(fresh, markPage) {
		if err := tx.later.write(ctx, statement{markRowsSQL, []any{list(page), now}}); err != nil {
			return err
		}
	}
	return nil
}

// free are those of the ids that nothing mentions.
func (db *DB) free(ctx context.Context, q querier, ids []string) (free []string, err error) {
	mentioned, err := db.index.living(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, is := mentioned[id]; !is && db.index.sure(id) {
			free = append(free, id)
		}
	}
	return free, nil
}
