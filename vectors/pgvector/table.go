package pgvector

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"pruned/vectors"
)

const tableName = "document_chunk"

// table is where the table of chunks is, and what it is like; or where it would
// be.
type table struct {
	path      []string // schemas of the session's search path that exist
	schema    string   // empty while there is no table
	metadata  string   // type of vmetadata: jsonb or bytea
	encrypted bool
	pgcrypto  string // its schema, where the table is encrypted
	fileID    string // expression: the id of a chunk's file; parameter 3 decrypts
}

func (t *table) isAbsent() bool { return t.schema == "" }

// quotedName is the quoted name with its schema.
func (t *table) quotedName() string { return quoteName(t.schema, tableName) }

func quoteName(parts ...string) string { return pgx.Identifier(parts).Sanitize() }

// candidateNames are the names that the table may appear under.
func (t *table) candidateNames() []string {
	names := make([]string, len(t.path))
	for i, schema := range t.path {
		names[i] = quoteName(schema, tableName)
	}
	return names
}

// pathSQL is the search path that the application's role has, if it is ours.
const pathSQL = `SELECT pg_catalog.current_schemas(false)::pg_catalog.text[]`

// findSQL goes by the search path $1, as the application does: DATABASE_SCHEMA
// does not apply to this table. pgcrypto may lie in a schema that is not on the
// path of the transaction that we join.
const findSQL = `
SELECT coalesce(n.nspname, ''),
       coalesce(c.relkind::text, ''),
       coalesce(format_type(m.atttypid, NULL), ''),
       coalesce((SELECT x.nspname FROM pg_extension e JOIN pg_namespace x ON x.oid = e.extnamespace
                  WHERE e.extname = 'pgcrypto'), '')
  FROM (SELECT (SELECT to_regclass(format('%I.` + tableName + `', s)) FROM unnest($1::text[]) WITH ORDINALITY u (s, i)
                 WHERE to_regclass(format('%I.` + tableName + `', s)) IS NOT NULL ORDER BY i LIMIT 1)::oid) AS found (oid)
  LEFT JOIN pg_class c ON c.oid = found.oid
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute m ON m.attrelid = c.oid AND m.attname = 'vmetadata' AND NOT m.attisdropped`

// findTable looks for the table, remembers where it is, and refuses in a sentence
// what the settings do not fit.
func (s *chunkTable) findTable(ctx context.Context, tx ownTx) (*table, error) {
	var t table
	var kind, crypto string
	_, err := tx.Exec(ctx, `SET LOCAL search_path TO DEFAULT`)
	if err == nil {
		err = tx.QueryRow(ctx, pathSQL).Scan(&t.path)
	}
	if err == nil {
		_, err = tx.Exec(ctx, safePath)
	}
	if err == nil {
		err = tx.QueryRow(ctx, findSQL, t.path).Scan(&t.schema, &kind, &t.metadata, &crypto)
	}
	if err != nil {
		return nil, fmt.Errorf("look for table %s: %w", tableName, err)
	}
	if !t.isAbsent() {
		if err := s.acceptTable(&t, kind, crypto); err != nil {
			s.known.Store(nil)
			return nil, err
		}
	}
	s.known.Store(&t)
	return &t, nil
}

func (s *chunkTable) acceptTable(t *table, kind, crypto string) error {
	switch {
	case kind != "r":
		return fmt.Errorf("%s is not a plain table, as Open WebUI makes it", t.quotedName())
	case t.metadata == "jsonb" && s.crypto:
		return fmt.Errorf("PGVECTOR_PGCRYPTO is set, but %s is not encrypted: unset it, as the application that filled the table had it", t.quotedName())
	case t.metadata == "jsonb":
		t.fileID = plainFileID
	case t.metadata != "bytea":
		return fmt.Errorf("%s is not Open WebUI's: its column vmetadata has type %q, not jsonb or bytea", t.quotedName(), t.metadata)
	case !s.crypto:
		return fmt.Errorf("%s is encrypted: set PGVECTOR_PGCRYPTO and PGVECTOR_PGCRYPTO_KEY as the application has them", t.quotedName())
	case crypto == "":
		return fmt.Errorf("%s is encrypted, but extension pgcrypto is not installed", t.quotedName())
	default:
		t.encrypted, t.pgcrypto, t.fileID = true, crypto, encryptedFileID(3)
	}
	return nil
}

// findTableOn looks for the table in a transaction of its own.
func (s *chunkTable) findTableOn(ctx context.Context, conn *pgx.Conn) (t *table, err error) {
	err = inSafeTx(ctx, conn, begin, func(tx ownTx) error {
		t, err = s.findTable(ctx, tx)
		return err
	})
	return t, err
}

// findTableInSession looks for the table in the store's own session.
func (s *chunkTable) findTableInSession(ctx context.Context) (t *table, err error) {
	err = s.inTx(ctx, "find the chunks", func(tx ownTx) error {
		t, err = s.findTable(ctx, tx)
		return err
	})
	return t, err
}

// TableName is the name of the table, quoted, with its schema; empty where there is none.
func (s *chunkTable) TableName(ctx context.Context) (string, error) {
	t, err := s.findTableInSession(ctx)
	if err != nil || t.isAbsent() {
		return "", err
	}
	return t.quotedName(), nil
}

// indexes say which of the table's indexes can be used.
type indexes struct{ collection, fileID bool }

// appearedSQL asks, for the price of a round trip, whether a missing table is
// there by now.
const appearedSQL = `SELECT FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL`

// lookupSQL answers by its number of rows, because a transaction tells nothing
// else: none if the table is not there as we know it, otherwise one, and one
// more for the index on the collection, and two for that on the file's id
// (also where neither is ours).
const lookupSQL = `
SELECT FROM pg_attribute m, generate_series(1, 1 +
       1 * EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
                    WHERE i.indrelid = m.attrelid AND i.indisvalid AND a.amname IN ('btree', 'hash')
                      AND pg_get_indexdef(i.indexrelid, 1, false) = 'collection_name'
                      AND i.indpred IS NULL)::int +
       2 * EXISTS (` + fileIDIndexSQL + `)::int)
 WHERE m.attrelid = to_regclass($1::text) AND m.attname = 'vmetadata' AND NOT m.attisdropped
   AND m.atttypid = to_regtype($2::text)`

// resolveTable says where the table is now and which indexes it has, through the
// transaction. Only when the table is not where it was is it looked for again,
// by find, in a session that knows the search path.
func (s *chunkTable) resolveTable(ctx context.Context, tx vectors.Tx, find func(context.Context) (*table, error)) (*table, indexes, error) {
	t := s.known.Load()
	for range 3 {
		if t == nil {
			var err error
			if t, err = find(ctx); err != nil {
				return nil, indexes{}, err
			}
		}
		same, found, err := t.lookupIndexes(ctx, tx)
		if err != nil {
			return nil, indexes{}, fmt.Errorf("look for table %s: %w", tableName, err)
		}
		if same {
			return t, found, nil
		}
		t = nil
	}
	return nil, indexes{}, fmt.Errorf("%w: table %s is not the same in the transaction and in a session of its own", vectors.ErrUnusable, tableName)
}

// lookupIndexes says whether the table is where and as it was.
func (t *table) lookupIndexes(ctx context.Context, tx vectors.Tx) (same bool, found indexes, err error) {
	if t.isAbsent() {
		appeared, err := tx.Exec(ctx, appearedSQL, t.candidateNames())
		return appeared == 0, indexes{}, err
	}
	rows, err := tx.Exec(ctx, lookupSQL, t.quotedName(), t.metadata)
	if err != nil || rows == 0 {
		return false, indexes{}, err
	}
	bits := rows - 1
	return true, indexes{collection: bits&1 != 0, fileID: bits&2 != 0}, nil
}
