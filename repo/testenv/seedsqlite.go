package testenv

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// SeedSQLite makes a webui.db at path with what Seed makes, without vectors. All
// of it lies in the file itself, nothing in its write-ahead log.
func SeedSQLite(ctx context.Context, path string, o SeedOptions) (world *Seeded, err error) {
	if err := CopySQLite(ctx, path); err != nil {
		return nil, err
	}
	db, err := OpenSQLite(path, "wal")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	world, _, err = seedRows(ctx, inserter{tx}, o)
	if err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return world, err
}

// inserter copies rows into SQLite, where JSON is text.
type inserter struct{ tx *sql.Tx }

// CopyFrom inserts the rows one by one.
func (i inserter) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (n int64, err error) {
	insert, err := i.tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)",
		table.Sanitize(), strings.Join(columns, ", "), strings.Repeat(", ?", len(columns)-1)))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, insert.Close()) }()
	for ; rows.Next(); n++ {
		values, err := rows.Values()
		if err != nil {
			return n, err
		}
		if err := encodeObjects(values); err != nil {
			return n, err
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}

func encodeObjects(values []any) error {
	for i, value := range values {
		if _, ok := value.(object); !ok {
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		values[i] = string(text)
	}
	return nil
}
