package testenv

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// DB is what fixtures need of a connection, a pool or a transaction of pgx. It
// must find Open WebUI's tables by their bare names.
type DB interface {
	copier
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// copier is all that rows of the application's tables need, which every engine has.
type copier interface {
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

// UserID owns what fixtures insert without naming an owner.
const UserID = "11111111-2222-4333-8444-555555555555"

// NewID is an id as the application makes them, for files and all else.
func NewID() string { return uuid.NewString() }

// object is a JSON object.
type object = map[string]any

// table is a table of the application's with the columns that fixtures fill,
// which are those that all of Revisions have.
type table struct {
	name    string
	columns []string
}

func (tb table) copy(ctx context.Context, db copier, rows pgx.CopyFromSource) error {
	if _, err := db.CopyFrom(ctx, pgx.Identifier{tb.name}, tb.columns, rows); err != nil {
		return fmt.Errorf("insert into %s: %w", tb.name, err)
	}
	return nil
}

// insert is copy for the one row of a fixture.
func (tb table) insert(t testing.TB, db DB, row []any) {
	t.Helper()
	if err := tb.copy(context.Background(), db, pgx.CopyFromRows([][]any{row})); err != nil {
		t.Fatal(err)
	}
}

// generated is the source of n rows that are made as they are sent.
func generated(n int, row func(i int) []any) pgx.CopyFromSource {
	return pgx.CopyFromSlice(n, func(i int) ([]any, error) { return row(i), nil })
}

// longAgo is when fixtures were made, unless they say otherwise: old enough
// for any age that protects what is young.
func longAgo() time.Time { return time.Now().Add(-30 * 24 * time.Hour) }

func orLongAgo(at time.Time) time.Time {
	if at.IsZero() {
		return longAgo()
	}
	return at
}

func orDefault(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
