package postgres

import (
	"context"
	"time"

	"pruned/repo/postgres/pgerr"

	"github.com/bits-and-blooms/bloom/v3"
	"github.com/jackc/pgx/v5"
)

// knownFiles is a filter of the ids that a full pass looks for, as of a pass:
// nothing else adds ids, and passes exclude each other.
type knownFiles struct {
	passedAt time.Time
	filter   *bloom.BloomFilter
}

// mistakes is the part of other ids that the filter lets through; the database
// sorts them out.
const mistakes = 0.01

// load returns the filter, brought up to date, inside a transaction that excludes
// passes. It takes about ten bits a file.
func (k *knownFiles) load(ctx context.Context, t pgx.Tx, passedAt time.Time) (*bloom.BloomFilter, error) {
	if k.filter != nil && k.passedAt.Equal(passedAt) {
		return k.filter, nil
	}
	var n uint
	if err := t.QueryRow(ctx, `SELECT count(*) FROM pruned.known_file`).Scan(&n); err != nil {
		return nil, pgerr.Translate(err, "count the known files")
	}
	filter := bloom.NewWithEstimates(max(n, 1), mistakes)
	rows, _ := t.Query(ctx, `SELECT token FROM pruned.known_file`)
	var token []byte
	_, err := pgx.ForEachRow(rows, []any{&token}, func() error {
		filter.Add(token)
		return nil
	})
	k.passedAt, k.filter = passedAt, filter
	return filter, pgerr.Translate(err, "list the known files")
}
