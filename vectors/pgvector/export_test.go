package pgvector

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// SharedCondition and KnownCondition are the conditions on names.
var SharedCondition, KnownCondition = sharedCondition, knownCondition

// Sessions is how many sessions the store has opened so far.
func (s *chunkTable) Sessions() int64 { return s.pool.Stat().NewConnsCount() }

// FilesPlans are the plans of the queries that Files runs.
func (s *chunkTable) FilesPlans(ctx context.Context) (plans []string, err error) {
	err = s.inTableTx(ctx, "explain", func(tx ownTx, t *table) error {
		queries, err := s.fileQueries(ctx, tx, t)
		if err != nil {
			return err
		}
		for _, q := range queries {
			if _, err := tx.Exec(ctx, q.settings); err != nil {
				return err
			}
			rows, _ := tx.Query(ctx, "EXPLAIN "+q.sql, q.args...)
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			plans = append(plans, strings.Join(lines, "\n"))
		}
		return nil
	})
	return plans, err
}

// ListPlans are the plans of the queries that list collections and points.
func (s *chunkTable) ListPlans(ctx context.Context, names []string) (plans []string, err error) {
	err = s.inTableTx(ctx, "explain", func(tx ownTx, t *table) error {
		if _, err := tx.Exec(ctx, byIndex); err != nil {
			return err
		}
		for sql, args := range map[string][]any{namesSQL: {"", collectionsAPage}, pointsSQL: {names}} {
			rows, _ := tx.Query(ctx, "EXPLAIN "+t.expandNames(sql), args...)
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			plans = append(plans, strings.Join(lines, "\n"))
		}
		return nil
	})
	return plans, err
}

// Table is the schema and name of the table that holds the vectors; both are
// empty while there is none.
func (s *chunkTable) Table(ctx context.Context) (schema, name string, err error) {
	t, err := s.findTableInSession(ctx)
	if err != nil || t.isAbsent() {
		return "", "", err
	}
	return t.schema, tableName, nil
}
