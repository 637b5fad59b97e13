package sqlite

import (
	"context"
	"time"

	"pruned/repo"
)

// HasOwnTables looks for the table that is made first of all.
func (db *DB) HasOwnTables(ctx context.Context) (has bool, err error) {
	_, err = queryOne(ctx, db.pool, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'pruned_state')`, nil, &has)
	return has, translate(err, "look for our own tables")
}

const candidateSumsSQL = `
SELECT direction, count(*), coalesce(sum(size), 0), coalesce(sum(chunks), 0), min(first_seen)
  FROM pruned_candidate GROUP BY direction ORDER BY direction`

// SumCandidates sums up the candidates of each direction.
func (db *DB) SumCandidates(ctx context.Context) (sums []repo.CandidateSum, err error) {
	var s repo.CandidateSum
	var oldest int64
	err = queryEach(ctx, db.pool, candidateSumsSQL, nil, []any{&s.Direction, &s.Count, &s.Size, &s.Chunks, &oldest}, func() error {
		s.Oldest = max(time.Since(fromMicros(oldest)), 0)
		sums = append(sums, s)
		return nil
	})
	return sums, translate(err, "sum up the candidates")
}

const ledgerSumSQL = `
SELECT count(*) FILTER (WHERE outcome = 'deleted'), count(*) FILTER (WHERE outcome = 'gone'),
       count(*) FILTER (WHERE at > ?1), count(*) FILTER (WHERE at > ?2), count(*) FILTER (WHERE at > ?3), min(at)
  FROM pruned_ledger WHERE outcome IN ('deleted', 'gone')`

// SumLedger counts the lines of the ledger.
func (db *DB) SumLedger(ctx context.Context) (s repo.LedgerSum, err error) {
	now := time.Now()
	args := []any{toMicros(now.Add(-time.Minute)), toMicros(now.Add(-time.Hour)), toMicros(now.Add(-24 * time.Hour))}
	var since *int64
	_, err = queryOne(ctx, db.pool, ledgerSumSQL, args, &s.Deleted, &s.Rest, &s.Minute, &s.Hour, &s.Day, &since)
	if since != nil {
		s.Since = fromMicros(*since)
	}
	return s, translate(err, "sum up the ledger")
}
