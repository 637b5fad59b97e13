package sqlite

import (
	"context"
	"iter"
	"time"

	"pruned/repo"
)

// RecordEntries writes lines of the ledger.
func (db *DB) RecordEntries(ctx context.Context, t repo.Tx, entries []repo.Entry) error {
	_, err := sqliteTx(t).execWrite(ctx, `INSERT INTO pruned_ledger (file_id, path, outcome, event_id, source, reason, at)
		SELECT value ->> '$.file_id', value ->> '$.path', value ->> '$.outcome', value ->> '$.event_id',
		       value ->> '$.source', value ->> '$.reason', ?2 FROM json_each(?1) ORDER BY key`, jsonList(entries), toMicros(time.Now()))
	return translate(err, "record %d deletions", len(entries))
}

// ReadLedger lists what was deleted, oldest first: everything, or one file's. It is
// read page by page, so that no reader keeps the write-ahead log.
func (db *DB) ReadLedger(ctx context.Context, id string) iter.Seq2[repo.Entry, error] {
	const page = 500
	return func(yield func(repo.Entry, error) bool) {
		for after := int64(0); ; {
			entries, last, err := db.ledgerAfter(ctx, id, after, page)
			if err != nil {
				yield(repo.Entry{}, translate(err, "read the ledger"))
				return
			}
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
			if len(entries) < page {
				return
			}
			after = last
		}
	}
}

func (db *DB) ledgerAfter(ctx context.Context, id string, after int64, most int) (entries []repo.Entry, last int64, err error) {
	var e repo.Entry
	var at int64
	err = queryEach(ctx, db.pool, `SELECT seq, file_id, path, outcome, event_id, source, reason, note, at FROM pruned_ledger
		WHERE seq > ?2 AND (?1 = '' OR file_id = ?1) ORDER BY seq LIMIT ?3`, []any{id, after, most},
		[]any{&last, &e.FileID, &e.Path, &e.Outcome, &e.EventID, &e.Source, &e.Reason, &e.Note, &at}, func() error {
			e.At = fromMicros(at)
			entries = append(entries, e)
			return nil
		})
	return entries, last, err
}
