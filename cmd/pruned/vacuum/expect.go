package vacuum

import (
	"context"
	"errors"
	"os"
	"time"
)

const (
	// sampleSize is what is copied in order to measure how fast a disk is: more than its
	// first cache, and little beside a file that is worth the question.
	sampleSize = 32 << 20
	// syncedWrites is how often VACUUM writes what is used and syncs it: into the log, and
	// from there into the file. The copy before is a temporary file, which nobody syncs.
	// Measured with files of 60 and 400 MB: it took two thirds of what this expects.
	syncedWrites = 2
)

// sampleSQL reads the first pages of the file (sqlite.org/dbpage).
const sampleSQL = `WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i * ?1 < ?2)
 SELECT d.data FROM n CROSS JOIN sqlite_dbpage d WHERE d.pgno = n.i`

// ExpectDuration tells how long VACUUM takes, measured by a copy of a part of the file,
// written where VACUUM would and synced.
func (f *File) ExpectDuration(ctx context.Context, m Figures) (time.Duration, error) {
	began := time.Now()
	copied, err := f.copySample(ctx, min(m.Used, sampleSize))
	if err != nil || copied == 0 {
		return 0, err
	}
	took := time.Since(began)
	return time.Duration(float64(took) * syncedWrites * float64(m.Used) / float64(copied)), nil
}

func (f *File) copySample(ctx context.Context, size int64) (copied int64, err error) {
	to, err := os.CreateTemp(copyDir(f.path), ".pruned-vacuum-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, to.Close(), os.Remove(to.Name())) }()
	var pageSize int64
	if err := f.db.QueryRowContext(ctx, "PRAGMA page_size").Scan(&pageSize); err != nil {
		return 0, f.explain(ctx, err, "read PRAGMA page_size")
	}
	rows, err := f.db.QueryContext(ctx, sampleSQL, pageSize, size)
	if err != nil {
		return 0, f.explain(ctx, err, "read")
	}
	defer rows.Close()
	for rows.Next() {
		var page []byte
		if err := rows.Scan(&page); err != nil {
			return 0, err
		}
		n, err := to.Write(page)
		if copied += int64(n); err != nil {
			return 0, err
		}
	}
	return copied, errors.Join(f.explain(ctx, rows.Err(), "read"), to.Sync())
}
