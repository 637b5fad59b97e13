// Package chunktable is the vector store that is a table, document_chunk, of a database of
// SQL outside that of the rows; packages beside it say which.
//
// Its central idea is that such databases agree on little, and take different texts for
// equal: it asks in words that all of them have, a condition only narrows down what comes,
// and what came is compared here, byte by byte. Nothing is deleted but rows that were
// listed, by their keys, in statements so short that nobody waits long for them, and it is
// looked again until nothing is left.
//
// The package knows nothing of table file, of references, or of the queue. Facts about the
// table are from open_webui/retrieval/vector/dbs/mariadb_vector.py and opengauss.py of Open
// WebUI 0.12.4.
package chunktable

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"pruned/vectors"
)

const tableName = "document_chunk"

// Dialect is what databases differ in.
type Dialect struct {
	Name string // of the store, for people and approvals: see vectors.Info
	// Bytes is the expression of a column's very bytes, where the database takes different
	// texts for equal.
	Bytes func(column string) string
	// Parameter is how the n-th value of a statement is written.
	Parameter func(n int) string
	// Member is the expression of a text in the metadata, which is NULL where there is
	// none, and Has the condition that there is one of this key.
	Member, Has func(key string) string
	// CanHold says whether any id of a row, or of a file, can be this one.
	CanHoldID, CanHold func(text string) bool
	IsMissing          func(error) bool // the table is not there
	IsBusy             func(error) bool // somebody else holds a row: try again
	IsForbidden        func(error) bool
	// Lock takes the table for a session alone, at once or not at all, and Unlock gives it
	// back. They are empty where a statement that deletes several rows ends no statement of
	// others by a deadlock.
	Lock, Unlock string
}

// Store is the table.
type Store struct {
	db      *sql.DB
	dialect Dialect
	bite    bite
}

var (
	_ vectors.Guarded         = (*Store)(nil)
	_ vectors.CollectionStore = (*Store)(nil)
)

const (
	// sessionsAtOnce lets tombstones be carried out beside a sweep that lists.
	sessionsAtOnce = 4
	// sessionIdle is how long a session that nobody uses is kept.
	sessionIdle = 10 * time.Second
)

// New makes a store of a database that nobody else uses. It opens no session.
func New(db *sql.DB, dialect Dialect) *Store {
	db.SetMaxOpenConns(sessionsAtOnce)
	db.SetMaxIdleConns(1)
	db.SetConnMaxIdleTime(sessionIdle)
	return &Store{db: db, dialect: dialect}
}

// Info says that others may use it.
func (s *Store) Info() vectors.Info { return vectors.Info{Name: s.dialect.Name} }

// String keeps secrets out of what is printed.
func (s *Store) String() string { return s.dialect.Name }

// Close closes the sessions.
func (s *Store) Close() { _ = s.db.Close() }

// Check reads a row, and deletes none. A table that is not there yet is in order: there are
// no chunks.
func (s *Store) Check(ctx context.Context) error {
	for _, err := range s.query(ctx, "read table "+tableName, statement{from: "id, collection_name, vmetadata", limit: 1}, 3) {
		if err != nil {
			return err
		}
	}
	_, err := s.exec(ctx, s.db, "delete from table "+tableName, "DELETE FROM "+tableName+" WHERE 1 = 0")
	return err
}

// executor is a session, or any of them.
type executor interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
}

// exec runs a statement that changes rows, and returns how many.
func (s *Store) exec(ctx context.Context, on executor, doing, text string, args ...any) (int64, error) {
	result, err := on.ExecContext(ctx, text, args...)
	if err != nil && s.dialect.IsMissing(err) {
		return 0, nil
	}
	if err != nil {
		return 0, s.describeFailure(ctx, doing, err)
	}
	return result.RowsAffected()
}

// describeFailure marks every failure as the store's own.
func (s *Store) describeFailure(ctx context.Context, doing string, err error) error {
	switch {
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	case s.dialect.IsForbidden(err):
		err = fmt.Errorf("%w: GRANT SELECT, DELETE ON %s to this user", err, tableName)
	}
	return fmt.Errorf("%w: %s, %s: %w", vectors.ErrUnusable, s.dialect.Name, doing, err)
}
