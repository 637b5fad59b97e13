package postgres

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

const recordSQL = `
INSERT INTO pruned.ledger (file_id, path, outcome, event_id, source, reason)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])`

// RecordEntries writes lines of the ledger.
func (db *DB) RecordEntries(ctx context.Context, t repo.Tx, entries []repo.Entry) error {
	var columns [6][]string
	for i := range columns {
		columns[i] = make([]string, 0, len(entries))
	}
	for _, e := range entries {
		for i, v := range []string{e.FileID, e.Path, e.Outcome, e.EventID, e.Source, e.Reason} {
			columns[i] = append(columns[i], v)
		}
	}
	_, err := pgxTx(t).Exec(ctx, recordSQL, db.execMode(), columns[0], columns[1], columns[2], columns[3], columns[4], columns[5])
	return pgerr.Translate(err, "record %d deletions", len(entries))
}

const ledgerSQL = `
SELECT file_id, path, outcome, event_id, source, reason, at, note
  FROM pruned.ledger WHERE $1::text = '' OR file_id = $1::text ORDER BY seq`

// ReadLedger lists what was deleted, oldest first: everything, or one file's.
func (db *DB) ReadLedger(ctx context.Context, id string) iter.Seq2[repo.Entry, error] {
	return func(yield func(repo.Entry, error) bool) {
		wanted := true
		err := db.inNewTx(ctx, longTimeout, func(t repo.Tx) error {
			rows, _ := pgxTx(t).Query(ctx, ledgerSQL, id)
			defer rows.Close()
			for wanted && rows.Next() {
				e, err := pgx.RowToStructByPos[repo.Entry](rows)
				if err != nil {
					return err
				}
				wanted = yield(e, nil)
			}
			rows.Close()
			return rows.Err()
		})
		if err != nil && wanted {
			yield(repo.Entry{}, pgerr.Translate(err, "read the ledger"))
		}
	}
}
