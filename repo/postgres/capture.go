package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/refindex"
)

// CaptureChanges makes the triggers that note which rows the application writes, and names
// the tables that have none.
func (db *DB) CaptureChanges(ctx context.Context) (captured, others []string, err error) {
	return db.index.Capture(ctx)
}

// ReleaseChanges removes these triggers.
func (db *DB) ReleaseChanges(ctx context.Context) error { return db.index.Release(ctx) }

// checkCapture says of which tables looks read only what changed, where somebody asked for
// that.
func (db *DB) checkCapture(ctx context.Context) (found []repo.Finding, err error) {
	var c refindex.Captured
	var installed bool
	err = db.inOwnTx(ctx, func(t pgx.Tx) (err error) {
		c, installed, err = db.index.ListCaptured(ctx, t)
		return err
	})
	if err != nil || !installed {
		return nil, err
	}
	f := repo.Finding{Check: "capture", OK: true, Detail: fmt.Sprintf("of %d tables only rows that were written are read, where these are few beside its pages", len(c.Noted))}
	if n := len(c.Waiting); n > 0 {
		f.Detail += fmt.Sprintf("; of %d more after two passes", n)
	}
	if n := len(c.Read); n > 0 {
		f.Detail += "; always read whole: " + strings.Join(c.Read[:min(n, maxNames)], ", ")
		f.Remedy = "pruned migrate --capture, for tables that came since or whose triggers are not in order; those without a column id of text, a UUID or a number as their key, partitions and heirs stay as they are"
	}
	return []repo.Finding{f}, nil
}
