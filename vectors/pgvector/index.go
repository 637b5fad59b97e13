package pgvector

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

const indexName = "pruned_document_chunk_file_id"

// fileIDIndexSQL finds indexes of table m.attrelid that the statements can use
// to find a file's chunks in shared collections. The texts are PostgreSQL's
// own way of writing createIndexSQL's expressions, the same from version 12 on.
const fileIDIndexSQL = `
SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
 WHERE i.indrelid = m.attrelid AND i.indisvalid AND a.amname IN ('btree', 'hash')
   AND pg_get_indexdef(i.indexrelid, 1, false) = '((vmetadata ->> ''file_id''::text))'
   AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = '(collection_name !~~ ''file-%''::text)')`

// createIndexSQL leaves out the files' own collections: they are found by name,
// hold half of all chunks or more, and need not pay for it. It runs in no
// transaction, so that every operator is spelt out (see safePath).
const createIndexSQL = `CREATE INDEX CONCURRENTLY IF NOT EXISTS ` + indexName + ` ON {table} ((vmetadata OPERATOR(pg_catalog.->>) 'file_id'::pg_catalog.text))
 WHERE collection_name OPERATOR(pg_catalog.!~~) 'file-%'::pg_catalog.text`

// stateSQL tells of table $1: can a file's chunks be found by index; is an
// index of it being built (seen by the same user, who owns the table); is there
// an invalid one with our name $2.
const stateSQL = `
SELECT EXISTS (` + fileIDIndexSQL + `),
       EXISTS (SELECT FROM pg_stat_progress_create_index WHERE relid = m.attrelid),
       EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass($2::text) AND NOT indisvalid)
  FROM (SELECT $1::text::regclass) AS m (attrelid)`

type indexState struct{ usable, building, invalid bool }

func (t *table) indexState(ctx context.Context, conn *pgx.Conn) (state indexState, err error) {
	err = inSafeTx(ctx, conn, begin, func(tx ownTx) error {
		return tx.QueryRow(ctx, stateSQL, t.quotedName(), t.quotedIndex()).Scan(&state.usable, &state.building, &state.invalid)
	})
	return state, describeFailure(err, "read the indexes of %s", t.quotedName())
}

// quotedIndex is the quoted name of our index.
func (t *table) quotedIndex() string { return quoteName(t.schema, indexName) }

// Index makes the index by which Join finds a file's chunks in shared
// collections, without blocking the application. It takes as long as a pass
// over the table, and the privileges of the table's owner. Where there is no
// table yet, an index of the same use, or an encrypted table, of which no index
// can be made, it does nothing.
func (s *chunkTable) Index(ctx context.Context) error {
	return s.withSession(ctx, "make index "+indexName, func(conn *pgx.Conn) error {
		t, err := s.findTableOn(ctx, conn)
		if err != nil || t.isAbsent() || t.encrypted {
			return err
		}
		state, err := t.indexState(ctx, conn)
		if err != nil || state.usable {
			return err
		}
		return t.createIndex(ctx, conn, state)
	})
}

// createIndex makes the index. A build that was interrupted leaves an invalid one,
// which is in the way; one that is still being built is invalid too, and to
// drop that would deadlock with its builder.
func (t *table) createIndex(ctx context.Context, conn *pgx.Conn, state indexState) error {
	if state.building {
		return fmt.Errorf("another session is building an index of %s: try again when it is done", t.quotedName())
	}
	if state.invalid {
		if err := t.dropIndex(ctx, conn); err != nil {
			return err
		}
	}
	if _, err := conn.Exec(ctx, t.expandNames(createIndexSQL)); err != nil {
		return fmt.Errorf("create it on %s: %w", t.quotedName(), err)
	}
	state, err := t.indexState(ctx, conn)
	if err == nil && !state.usable {
		err = fmt.Errorf("%s exists, and is another index than ours: drop or rename it", t.quotedIndex())
	}
	return err
}

// DropIndex removes the index that Index makes.
func (s *chunkTable) DropIndex(ctx context.Context) error {
	return s.withSession(ctx, "drop index "+indexName, func(conn *pgx.Conn) error {
		t, err := s.findTableOn(ctx, conn)
		if err != nil || t.isAbsent() {
			return err
		}
		return t.dropIndex(ctx, conn)
	})
}

func (t *table) dropIndex(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+t.quotedIndex())
	return describeFailure(err, "drop %s", t.quotedIndex())
}
