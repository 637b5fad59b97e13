package sqlite

import (
	"context"
	"maps"
	"slices"
	"time"

	"pruned/repo"
	"pruned/repo/openwebui"
)

// markPage is how many candidates are looked up, or written, at once.
const markPage = 1000

// markRowsSQL makes candidates of what describeRowsSQL answered.
const markRowsSQL = `INSERT INTO pruned_candidate (file_id, direction, first_seen, seen_at, size, made_at)
	SELECT value ->> 0, 'row', ?2, ?2, value ->> 1, coalesce(value ->> 2, ?2) FROM json_each(?1) WHERE true
	    ON CONFLICT (direction, file_id) DO UPDATE SET size = excluded.size, made_at = excluded.made_at`

// describeRowsSQL reads of files what lists are sorted by, so that no list of all has to
// read table file. It is read before the lock is taken: it lies between texts.
var describeRowsSQL = `SELECT json_group_array(json_array(i.value, ` + sizeSQL + `, CAST(` + openwebui.SecondsSQL(createdSQL, "?2 / 1e6") + ` * 1e6 AS INTEGER)))
	FROM json_each(?1) i LEFT JOIN file f ON f.id = i.value`

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
	was, err := listMarked(ctx, q)
	if err != nil {
		return err
	}
	now := toMicros(time.Now())
	var fresh []string // pages of them
	for page := range slices.Chunk(files, markPage) {
		text, err := db.describeFresh(ctx, q, page, was, now)
		if err != nil {
			return err
		}
		if text != "" {
			fresh = append(fresh, text)
		}
	}
	for page := range slices.Chunk(slices.Collect(maps.Keys(was)), markPage) {
		if err := tx.deferred.enqueue(ctx, statement{unmarkRowsSQL, []any{jsonList(page)}}); err != nil {
			return err
		}
	}
	for _, page := range fresh {
		if err := tx.deferred.enqueue(ctx, statement{markRowsSQL, []any{page, now}}); err != nil {
			return err
		}
	}
	return nil
}

// listMarked lists the candidates among rows, and whether each was described.
func listMarked(ctx context.Context, q querier) (map[string]bool, error) {
	was := map[string]bool{}
	var id string
	var described bool
	err := queryEach(ctx, q, `SELECT file_id, made_at IS NOT NULL FROM pruned_candidate WHERE direction = 'row'`, nil, []any{&id, &described}, func() error {
		was[id] = described
		return nil
	})
	return was, translate(err, "list the candidates")
}

// describeFresh describes those of a page of files that nothing mentions and that were not
// described before, and takes all that nothing mentions out of what was marked.
func (db *DB) describeFresh(ctx context.Context, q querier, page []string, was map[string]bool, now int64) (text string, err error) {
	free, err := db.findUnreferenced(ctx, q, page)
	if err != nil {
		return "", err
	}
	kept, err := findKept(ctx, q, free)
	if err != nil {
		return "", err
	}
	var fresh []string
	for _, id := range free {
		if kept[id] {
			continue
		}
		if !was[id] {
			fresh = append(fresh, id)
		}
		delete(was, id)
	}
	if len(fresh) == 0 {
		return "", nil
	}
	_, err = queryOne(ctx, q, describeRowsSQL, []any{jsonList(fresh), now}, &text)
	return text, translate(err, "describe the candidates among rows")
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
