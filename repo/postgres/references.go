package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// FindReferences returns which of these ids are mentioned.
func (db *DB) FindReferences(ctx context.Context, t repo.Tx, ids []string) (repo.References, error) {
	return db.index.FindReferences(ctx, pgxTx(t), ids)
}

// FindIndexed returns which of these ids the index knows to be mentioned.
func (db *DB) FindIndexed(ctx context.Context, t repo.Tx, ids []string) (repo.References, error) {
	return db.index.FindIndexed(ctx, pgxTx(t), ids)
}

// RecheckReferences returns what others committed since found, and what that did not read.
func (db *DB) RecheckReferences(ctx context.Context, t repo.Tx, found repo.References, ids, gone []string) (repo.Appeared, error) {
	return db.index.RecheckReferences(ctx, pgxTx(t), found, ids, gone)
}

// IndexChanges brings the reference index up to date with what changed.
func (db *DB) IndexChanges(ctx context.Context) error { return db.index.IndexChanges(ctx) }

// IndexAll also reads whole what was never read.
func (db *DB) IndexAll(ctx context.Context, progress repo.Progress) error {
	return db.index.IndexAll(ctx, progress)
}

// PrepareLooks looks for nothing in so many sessions at once.
func (db *DB) PrepareLooks(ctx context.Context, sessions int) error {
	var conns []*pgxpool.Conn
	defer func() {
		for _, conn := range conns {
			conn.Release()
		}
	}()
	for range sessions { // all of them, before one is released
		conn, err := db.pool.Acquire(ctx)
		if err != nil {
			return pgerr.Translate(err, "connect to PostgreSQL")
		}
		conns = append(conns, conn)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, conn := range conns {
		group.Go(func() error { return db.inTxOf(ctx, conn, db.options.StatementTimeout, db.lookForNothing(ctx)) })
	}
	return group.Wait()
}

func (db *DB) lookForNothing(ctx context.Context) func(repo.Tx) error {
	return func(t repo.Tx) error {
		found, err := db.FindIndexed(ctx, t, nil)
		if err == nil {
			_, err = db.RecheckReferences(ctx, t, found, nil, nil)
		}
		return err
	}
}

// IndexAge reads when the last pass began, by the database's clock.
func (db *DB) IndexAge(ctx context.Context) (age time.Duration, known bool, err error) {
	var ago *float64
	err = db.readRow(ctx, `SELECT extract(epoch FROM clock_timestamp() - passed_at)::float8 FROM pruned.state`, nil, &ago)
	if err != nil || ago == nil {
		return 0, false, pgerr.Translate(err, "read the state of the reference index")
	}
	return max(toDuration(*ago), 0), true, nil
}

// DescribeFile reads the row of one file. exists is false without an error where there is none.
func (db *DB) DescribeFile(ctx context.Context, id string) (info repo.FileInfo, exists bool, err error) {
	var age float64
	err = db.readRow(ctx, db.withFileTable(`SELECT coalesce(path, ''), coalesce(`+statusSQL+`, ''),
		coalesce(n.now - `+createdSQL+`, 0)::float8
		FROM %s f, LATERAL (SELECT extract(epoch FROM clock_timestamp())::float8 AS now) n WHERE id = $1::text`), []any{id},
		&info.Path, &info.Status, &age)
	if errors.Is(err, pgx.ErrNoRows) {
		return info, false, nil
	}
	info.Age = toDuration(age)
	return info, err == nil, pgerr.Translate(err, "read the row of file %s", id)
}

// IndexFiles brings the index up to date: it lies in the database, so that only rows that
// changed since the last pass are read.
func (db *DB) IndexFiles(ctx context.Context, _ []string, progress repo.Progress) error {
	return db.IndexAll(ctx, progress)
}

// ListReferences lists every mention of one file that keeps it, up to 1,000.
func (db *DB) ListReferences(ctx context.Context, t repo.Tx, id string) ([]repo.Mention, error) {
	return db.index.ListMentions(ctx, pgxTx(t), id)
}

// CountUnsearchable counts the files that are always kept.
func (db *DB) CountUnsearchable(ctx context.Context) (u repo.Unsearchable, err error) {
	ids, err := db.readColumn(ctx, db.withFileTable(`SELECT id FROM (SELECT id, lower(id COLLATE "C") AS token FROM %s) t WHERE `+refindex.LiteralSQL+` ORDER BY id`))
	for _, id := range ids {
		u.Add(id)
	}
	return u, pgerr.Translate(err, "count the files whose ids cannot be searched for")
}

// ListUnsearched names what is not searched: schema.table, or schema.* for a whole schema.
func (db *DB) ListUnsearched(ctx context.Context) (unsearched []string, err error) {
	err = db.inOwnTx(ctx, func(t pgx.Tx) error {
		_, unsearched, err = db.index.ListSearched(ctx, t)
		return err
	})
	return unsearched, err
}
