package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"pruned/repo"
	"pruned/repo/mention"
	"pruned/repo/openwebui"
)

// readNames lists the names that passes look for. There are none before our own tables are
// made.
func readNames(ctx context.Context, q querier) ([]string, error) {
	var made bool
	if _, err := queryOne(ctx, q, `SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'pruned_name')`, nil, &made); err != nil || !made {
		return nil, translate(err, "look for our own tables")
	}
	names, err := queryColumn[string](ctx, q, `SELECT name FROM pruned_name`)
	return names, translate(err, "list the names to look for")
}

// SetNames makes the names that passes look for these. What no search can find is left
// out, and so never known. Only what differs is written, and not all at once: the
// application waits meanwhile.
func (db *DB) SetNames(ctx context.Context, names []string) error {
	was, err := querySet(ctx, db.pool, `SELECT name FROM pruned_name`)
	if err != nil {
		return translate(err, "list the names to look for")
	}
	fresh := map[string]bool{}
	for _, name := range repo.OnlySearchable(names) {
		fresh[name] = true
	}
	maps.DeleteFunc(fresh, func(name string, _ bool) bool {
		_, known := was[name]
		delete(was, name)
		return known
	})
	return db.InTx(ctx, nil, func(t repo.Tx) error {
		for query, differing := range map[string]map[string]bool{
			`INSERT INTO pruned_name (name) SELECT value FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`: fresh,
			`DELETE FROM pruned_name WHERE name IN (SELECT value FROM json_each(?1))`:                          was,
		} {
			for page := range slices.Chunk(slices.Sorted(maps.Keys(differing)), markPage) {
				if err := sqliteTx(t).deferred.enqueue(ctx, statement{query, []any{jsonList(page)}}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// learnNames has the index look for the names that it does not know: rows that it was read
// from may mention them. One that nobody wants any more stays until everything is read
// again.
func (db *DB) learnNames(ctx context.Context) error {
	if !db.index.complete {
		return nil // it begins with them
	}
	names, err := readNames(ctx, db.pool)
	if err == nil {
		db.index.addFiles(slices.DeleteFunc(names, func(name string) bool { return db.index.isKnown(mention.Token(name)) }))
	}
	return err
}

// FindUnmentioned says which of these names no living row mentions, as of the last pass.
func (db *DB) FindUnmentioned(ctx context.Context, t repo.Tx, names []string) ([]string, error) {
	tx := sqliteTx(t)
	if !tx.locked {
		if err := db.mutex.lock(ctx); err != nil {
			return nil, err
		}
		defer db.mutex.unlock()
	}
	if !db.index.complete {
		return nil, incompleteError()
	}
	return db.findUnreferenced(ctx, tx.view(), names)
}

// FindMissingRows says which of these ids no row of a table has. Nothing tells of what type
// a value is: what is not found by an index is looked for in every row.
func (db *DB) FindMissingRows(ctx context.Context, t repo.Tx, table string, ids []string) ([]string, error) {
	q, doing := sqliteTx(t).view(), "look for rows of table "+table
	if table == repo.KnowledgeLinks {
		return db.findUnlinked(ctx, q, ids)
	}
	if !slices.Contains(openwebui.VectorOwners, table) {
		return nil, &repo.Error{Kind: repo.Permanent, Doing: doing, Err: errors.New("nothing in a vector store lives by them")}
	}
	var is bool
	if _, err := queryOne(ctx, q, `SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name = ?1)`, []any{table}, &is); err != nil {
		return nil, translate(err, "look for table %s", table)
	}
	if !is {
		return nil, &repo.Error{Kind: repo.Environment, Doing: doing, Err: errors.New("there is no table of that name")}
	}
	return findMissingIDs(ctx, q, table, ids)
}

// findMissingIDs is FindMissingRows of a table that is there.
func findMissingIDs(ctx context.Context, q querier, table string, ids []string) ([]string, error) {
	missing := slices.Clone(ids)
	for _, value := range []string{`id`, `CAST(id AS TEXT)`} {
		if len(missing) == 0 {
			break
		}
		there, err := querySet(ctx, q, `SELECT CAST(id AS TEXT) FROM main.`+quoteIdent(table)+` WHERE `+value+` IN (SELECT value FROM json_each(?1))`, jsonList(missing))
		if err != nil {
			return nil, translate(err, "look for %d rows of table %s", len(ids), table)
		}
		missing = slices.DeleteFunc(missing, func(id string) bool { return there[id] })
	}
	return missing, nil
}

// ReadGrace says for how long candidates of a direction are known.
func (db *DB) ReadGrace(ctx context.Context, t repo.Tx, d repo.Direction, ids []string) (map[string]time.Duration, error) {
	now, known := time.Now(), map[string]time.Duration{}
	var id string
	var seen int64
	err := queryEach(ctx, sweepView{sqliteTx(t)}, `SELECT file_id, first_seen FROM pruned_candidate
		WHERE direction = @direction AND file_id IN (SELECT value FROM json_each(@ids)) AND first_seen <= @now`,
		[]any{sql.Named("direction", string(d)), sql.Named("ids", jsonList(ids)), sql.Named("now", toMicros(now))}, []any{&id, &seen}, func() error {
			known[id] = max(now.Sub(fromMicros(seen)), 0)
			return nil
		})
	return known, translate(err, "look since when %d candidates are known", len(ids))
}
