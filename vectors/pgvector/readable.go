package pgvector

import (
	"context"
	"fmt"
	"strings"

	"pruned/vectors"
)

// unreadable stands for the id of a chunk that the key does not decrypt, or that is no
// JSON then: no file has it.
const unreadable = `?`

// readableSQL makes the function that decrypts. Without it one chunk with an older key
// would end every statement that reads others as well; no condition can tell it
// beforehand. It lasts as long as the session and is made anew in each transaction, so
// that a pooler may change the session between them.
const readableSQL = `
CREATE OR REPLACE FUNCTION pg_temp.pruned_member(metadata bytea, key text, member text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN pg_catalog.jsonb_path_query_first({pgcrypto}.pgp_sym_decrypt(metadata, key)::pg_catalog.jsonb,
        '$ ? (exists (@.` + vectors.NameKey + `))') OPERATOR(pg_catalog.->>) member;
EXCEPTION WHEN OTHERS THEN
    RETURN '` + unreadable + `';
END $$`

// makeReadable makes it, where the table is encrypted.
func (t *table) makeReadable(ctx context.Context, tx vectors.Tx) error {
	if !t.encrypted {
		return nil
	}
	_, err := tx.Exec(ctx, strings.Replace(readableSQL, "{pgcrypto}", quoteName(t.pgcrypto), 1))
	return describeFailure(err, "make the function that decrypts")
}

// wrongKeySQL tells by a row that there are chunks, and that none can be read. The first
// two parameters are there because the key is the third, everywhere.
var wrongKeySQL = `
SELECT WHERE EXISTS (SELECT FROM ONLY {table} WHERE vmetadata IS NOT NULL AND ` + shared + ` AND $1::text = $2::text)
   AND NOT EXISTS (SELECT FROM ONLY {table} WHERE vmetadata IS NOT NULL AND ` + shared + ` AND {file_id} IS DISTINCT FROM '` + unreadable + `')`

// checkKey refuses a key that decrypts nothing: all chunks would seem to be nobody's.
func (s *chunkTable) checkKey(ctx context.Context, tx vectors.Tx, t *table) error {
	if !t.encrypted {
		return nil
	}
	wrong, err := tx.Exec(ctx, t.expandNames(wrongKeySQL), t.withKey(s.key, "", "")...)
	if err == nil && wrong > 0 {
		err = fmt.Errorf("%w: Wrong key: PGVECTOR_PGCRYPTO_KEY decrypts no chunk of %s", vectors.ErrUnusable, t.quotedName())
	}
	return err
}

// unreadableSQL looks at so many chunks only: to decrypt takes its time.
var unreadableSQL = `
SELECT count(*) FILTER (WHERE id = '` + unreadable + `'), count(*)
  FROM (SELECT {file_id} FROM ONLY {table} WHERE ` + shared + ` AND vmetadata IS NOT NULL AND $1::text = $2::text LIMIT 10000) c (id)`

// Unreadable counts, among up to 10,000 encrypted chunks in shared collections, those
// that the key does not decrypt. They are never removed: whose they are nobody can tell.
func (s *chunkTable) Unreadable(ctx context.Context) (n, of int64, err error) {
	err = s.inTableTx(ctx, "look for chunks that cannot be read", func(tx ownTx, t *table) error {
		if !t.encrypted {
			return nil
		}
		err := tx.QueryRow(ctx, t.expandNames(unreadableSQL), t.withKey(s.key, "", "")...).Scan(&n, &of)
		return describeFailure(err, "look for chunks of %s that the key does not decrypt", t.quotedName())
	})
	return n, of, err
}
