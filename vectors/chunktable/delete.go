package chunktable

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync/atomic"
	"time"

	"pruned/vectors"
)

const (
	// What somebody else holds is tried again so often, after pauses of which each is twice
	// the one before.
	triesOfBusy, firstPause = 5, 100 * time.Millisecond
	// unlockPatience bounds the wait until the table is given back.
	unlockPatience = 5 * time.Second
)

// deleteIDs deletes rows by their keys, which are those of random UUIDs, or of rows of the
// application's own: of the whole table, whatever the collection. Where somebody else has the
// table, or we may not lock it, it deletes them one by one.
func (s *Store) deleteIDs(ctx context.Context, ids []string) (chunks int64, err error) {
	if s.dialect.Lock == "" {
		return s.deletePatiently(ctx, ids)
	}
	chunks, locked, err := s.deleteAlone(ctx, ids)
	if locked || err != nil {
		return chunks, err
	}
	for _, id := range ids {
		n, err := s.deletePatiently(ctx, []string{id})
		if chunks += n; err != nil {
			return chunks, err
		}
	}
	return chunks, nil
}

// deleteAlone deletes them while nobody else can use the table.
func (s *Store) deleteAlone(ctx context.Context, ids []string) (chunks int64, locked bool, err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, false, s.describeFailure(ctx, "open a session", err)
	}
	defer func() { _ = conn.Close() }()
	switch _, err := conn.ExecContext(ctx, s.dialect.Lock); {
	case err == nil:
	case s.dialect.IsBusy(err) || s.dialect.IsForbidden(err):
		return 0, false, nil
	default:
		return 0, false, s.describeFailure(ctx, "lock table "+tableName, err)
	}
	defer s.unlock(ctx, conn)
	chunks, err = s.deleteSet(ctx, conn, ids)
	return chunks, true, err
}

// unlock gives the table back, by the end of the session if need be.
func (s *Store) unlock(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockPatience)
	defer cancel()
	if _, err := conn.ExecContext(ctx, s.dialect.Unlock); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// deletePatiently waits for what somebody else holds.
func (s *Store) deletePatiently(ctx context.Context, ids []string) (chunks int64, err error) {
	for n, pause := 1, firstPause; ; n, pause = n+1, 2*pause {
		chunks, err = s.deleteSet(ctx, s.db, ids)
		if err == nil || !s.dialect.IsBusy(err) || n == triesOfBusy {
			return chunks, err
		}
		if vectors.Wait(ctx, pause) != nil {
			return 0, err
		}
	}
}

// deleteSet is the only statement that deletes rows.
func (s *Store) deleteSet(ctx context.Context, on executor, ids []string) (chunks int64, err error) {
	where := statement{}
	where.isOneOf("id", ids)
	text := numberParameters("DELETE FROM "+tableName+" WHERE "+where.where[0], s.dialect.Parameter)
	began := time.Now()
	chunks, err = s.exec(ctx, on, fmt.Sprintf("delete %d chunks", len(ids)), text, where.args...)
	if err == nil && len(ids) > 1 {
		s.bite.judge(len(ids), time.Since(began))
	}
	return chunks, err
}

// bite is how many rows one statement deletes, judged by the one before: nobody else can
// write meanwhile, or even read.
type bite struct{ rows atomic.Int64 }

const (
	firstBite, smallestBite, largestBite = 200, 10, 4000
	biteTarget                           = 200 * time.Millisecond
)

func (b *bite) size() int {
	if n := b.rows.Load(); n > 0 {
		return int(n)
	}
	return firstBite
}

func (b *bite) judge(rows int, took time.Duration) {
	next := int64(float64(rows) * float64(biteTarget) / float64(max(took, time.Millisecond)))
	b.rows.Store(min(max(next, smallestBite), max(2*int64(rows), firstBite), largestBite))
}
