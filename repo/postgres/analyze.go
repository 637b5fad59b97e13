package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// analyze lets the planner know how large the index has become. Nothing is locked
// against anybody meanwhile but another ANALYZE.
func (db *DB) analyze(ctx context.Context) error {
	return db.inNewTx(ctx, passTimeout, func(t repo.Tx) error {
		_, err := t.Exec(ctx, `ANALYZE (SKIP_LOCKED) pruned.reference, pruned.known_file, pruned.relation, pruned.mentioned`)
		return pgerr.Translate(err, "gather statistics of the reference index")
	})
}

// analyzeCandidates does so where their number is another by far than the planner
// takes it to be: a page would sort all of them.
func analyzeCandidates(ctx context.Context, t pgx.Tx) error {
	var stale bool
	err := t.QueryRow(ctx, `SELECT abs((SELECT count(*) FROM pruned.candidate) - greatest(reltuples, 0)) > 1000 + reltuples / 5
		FROM pg_class WHERE oid = 'pruned.candidate'::regclass`).Scan(&stale)
	if err == nil && stale {
		_, err = t.Exec(ctx, `ANALYZE (SKIP_LOCKED) pruned.candidate`)
	}
	return pgerr.Translate(err, "gather statistics of the candidates")
}
