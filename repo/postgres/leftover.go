package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/openwebui"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// setNamesSQL subtracts sets, and by no anti join: nobody has gathered statistics of either.
const setNamesSQL = `
WITH wanted (name) AS MATERIALIZED (SELECT unnest($1::text[])),
     gone AS (DELETE FROM pruned.name WHERE name IN (SELECT name FROM pruned.name EXCEPT SELECT name FROM wanted))
INSERT INTO pruned.name (name)
SELECT name FROM (SELECT name FROM wanted EXCEPT SELECT name FROM pruned.name) fresh ORDER BY name
    ON CONFLICT DO NOTHING`

// SetNames makes the names that passes look for these; the next pass meets them. What no
// search can find is left out, and so never known.
func (db *DB) SetNames(ctx context.Context, names []string) error {
	return db.inNewTx(ctx, longTimeout, func(t repo.Tx) error {
		_, err := t.Exec(ctx, setNamesSQL, repo.OnlySearchable(names))
		return pgerr.Translate(err, "write %d names", len(names))
	})
}

// FindUnmentioned returns those of these names that no living row mentions, as of the last
// pass.
func (db *DB) FindUnmentioned(ctx context.Context, t repo.Tx, names []string) ([]string, error) {
	return db.index.FindUnmentioned(ctx, pgxTx(t), names)
}

// FindMissingRows returns those of these ids that no row of a table has. That there is none
// is asked once more of the table itself, since an index may be blind.
func (db *DB) FindMissingRows(ctx context.Context, t repo.Tx, table string, ids []string) ([]string, error) {
	if table == repo.KnowledgeLinks {
		return db.findUnlinked(ctx, t, ids)
	}
	if err := db.requireOwnerTable(ctx, t, table); err != nil {
		return nil, err
	}
	sql := `SELECT id::text FROM ` + db.quotedTable(table) + ` WHERE id::text = ANY ($1::text[])`
	there, err := refindex.ReadColumn[string](ctx, pgxTx(t), sql, ids)
	if err != nil {
		return nil, pgerr.Translate(err, "look for %d rows of table %s", len(ids), table)
	}
	missing := withoutThese(ids, there)
	if len(missing) == 0 {
		return nil, nil
	}
	came, err := db.index.FindUnindexed(ctx, pgxTx(t), table, sql, missing)
	return withoutThese(missing, came), err
}

// withoutThese are the ids that are not among others.
func withoutThese(ids, others []string) []string {
	among := make(map[string]bool, len(others))
	for _, id := range others {
		among[id] = true
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return among[id] })
}

// requireOwnerTable refuses also a table by whose rows nothing in a vector store lives.
func (db *DB) requireOwnerTable(ctx context.Context, t repo.Tx, table string) error {
	doing := "look for rows of table " + table
	if !slices.Contains(openwebui.VectorOwners, table) {
		return &repo.Error{Kind: repo.Permanent, Doing: doing, Err: errors.New("nothing in a vector store lives by them")}
	}
	return db.requireTable(ctx, t, table)
}

// requireTable refuses a table that is not there, or a view, whose rows lie elsewhere.
func (db *DB) requireTable(ctx context.Context, t repo.Tx, table string) error {
	doing := "look for rows of table " + table
	is, err := refindex.ReadColumn[bool](ctx, pgxTx(t), `SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = to_regclass($1::text)`, db.quotedTable(table))
	switch {
	case err != nil:
		return pgerr.Translate(err, "look for table %s", table)
	case len(is) == 0:
		return &repo.Error{Kind: repo.Environment, Doing: doing, Err: fmt.Errorf("there is no table %s", db.quotedTable(table))}
	case !is[0]:
		return &repo.Error{Kind: repo.Environment, Doing: doing, Err: fmt.Errorf("%s is no table", db.quotedTable(table))}
	}
	return nil
}

// ownerTables are the tables that things in a vector store live by, quoted.
func (db *DB) ownerTables() (tables []string) {
	for _, name := range openwebui.VectorOwners {
		tables = append(tables, db.quotedTable(name))
	}
	return tables
}

const graceSQL = `
SELECT file_id, extract(epoch FROM clock_timestamp() - first_seen)::float8 FROM pruned.candidate
 WHERE direction = $1::text AND file_id = ANY ($2::text[]) AND first_seen <= clock_timestamp()`

// ReadGrace reads for how long candidates of a direction are known.
func (db *DB) ReadGrace(ctx context.Context, t repo.Tx, d repo.Direction, ids []string) (map[string]time.Duration, error) {
	rows, _ := pgxTx(t).Query(ctx, graceSQL, string(d), ids)
	known := map[string]time.Duration{}
	var id string
	var seconds float64
	_, err := pgx.ForEachRow(rows, []any{&id, &seconds}, func() error {
		known[id] = toDuration(seconds)
		return nil
	})
	return known, pgerr.Translate(err, "look since when %d candidates are known", len(ids))
}
