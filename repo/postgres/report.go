package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// HasOwnTables looks for the table that is made first of all.
func (db *DB) HasOwnTables(ctx context.Context) (has bool, err error) {
	err = db.readRow(ctx, `SELECT to_regclass('pruned.state') IS NOT NULL`, nil, &has)
	return has, pgerr.Translate(err, "look for our own tables")
}

const candidateSumsSQL = `
SELECT direction, count(*), coalesce(sum(size), 0)::bigint, coalesce(sum(chunks), 0)::bigint,
       greatest(extract(epoch FROM clock_timestamp() - min(first_seen)), 0)::float8
  FROM pruned.candidate GROUP BY direction ORDER BY direction`

// SumCandidates sums up the candidates of each direction.
func (db *DB) SumCandidates(ctx context.Context) (sums []repo.CandidateSum, err error) {
	err = db.inOwnTx(ctx, func(t pgx.Tx) error {
		var s repo.CandidateSum
		var oldest float64
		rows, _ := t.Query(ctx, candidateSumsSQL)
		_, err := pgx.ForEachRow(rows, []any{&s.Direction, &s.Count, &s.Size, &s.Chunks, &oldest}, func() error {
			s.Oldest = toDuration(oldest)
			sums = append(sums, s)
			return nil
		})
		return err
	})
	return sums, pgerr.Translate(err, "sum up the candidates")
}

const ledgerSumSQL = `
SELECT count(*) FILTER (WHERE outcome = 'deleted'), count(*) FILTER (WHERE outcome = 'gone'),
       count(*) FILTER (WHERE at > clock_timestamp() - interval '1 minute'),
       count(*) FILTER (WHERE at > clock_timestamp() - interval '1 hour'),
       count(*) FILTER (WHERE at > clock_timestamp() - interval '1 day'), min(at)
  FROM pruned.ledger WHERE outcome IN ('deleted', 'gone')`

// SumLedger counts the lines of the ledger.
func (db *DB) SumLedger(ctx context.Context) (s repo.LedgerSum, err error) {
	var since *time.Time
	err = db.readRow(ctx, ledgerSumSQL, nil, &s.Deleted, &s.Rest, &s.Minute, &s.Hour, &s.Day, &since)
	if since != nil {
		s.Since = *since
	}
	return s, pgerr.Translate(err, "sum up the ledger")
}
