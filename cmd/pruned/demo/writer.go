package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	_ "modernc.org/sqlite" // the driver
)

// writer fills a new database in one transaction.
type writer struct {
	ctx context.Context
	db  *sql.DB
	tx  *sql.Tx
}

func newWriter(ctx context.Context, path, journal, schema string) (*writer, error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	w := &writer{ctx: ctx, db: db}
	if _, err = db.ExecContext(ctx, "PRAGMA journal_mode="+journal+"; PRAGMA synchronous=OFF"); err == nil {
		w.tx, err = db.BeginTx(ctx, nil)
	}
	if err == nil {
		_, err = w.tx.ExecContext(ctx, schema)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make %s: %w", path, err), db.Close())
	}
	return w, nil
}

func (w *writer) execInsert(statement string, args ...any) error {
	if _, err := w.tx.ExecContext(w.ctx, statement, args...); err != nil {
		return fmt.Errorf("fill the scratch installation: %w", err)
	}
	return nil
}

func (w *writer) commitAndClose() error { return errors.Join(w.tx.Commit(), w.db.Close()) }
