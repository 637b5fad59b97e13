package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

const rowlessIDsSQL = `
SELECT c.file_id, EXISTS (SELECT FROM pruned.ledger l WHERE l.file_id = c.file_id AND l.outcome = 'deleted' OFFSET 0)
  FROM unnest($1::text[]) c (file_id) WHERE ` + rowlessSQL

// FindRowless finds those of these ids that are no file's here, and whether they were.
func (db *DB) FindRowless(ctx context.Context, t repo.Tx, ids []string) (map[string]bool, error) {
	rows, _ := pgxTx(t).Query(ctx, db.withFileTable(rowlessIDsSQL), ids)
	had := map[string]bool{}
	var id string
	var was bool
	_, err := pgx.ForEachRow(rows, []any{&id, &was}, func() error {
		had[id] = was
		return nil
	})
	return had, pgerr.Translate(err, "look which of %d ids were ever files", len(ids))
}

// FindUnknownUsers lists those of these users that this database never had.
func (db *DB) FindUnknownUsers(ctx context.Context, t repo.Tx, users []string) ([]string, error) {
	unknown, err := refindex.ReadColumn[string](ctx, pgxTx(t), db.withFileTable(`SELECT u FROM unnest($1::text[]) u EXCEPT SELECT id FROM `+db.quotedTable("user")+` EXCEPT SELECT user_id FROM %s`), users)
	return unknown, pgerr.Translate(err, "look which of %d users there are", len(users))
}

// neighboursSQL lists the schemas of other installations; $1 is our own schema.
const neighboursSQL = `
SELECT n.nspname::text FROM pg_catalog.pg_namespace n
 WHERE n.nspname <> $1::text
   AND 2 = (SELECT count(*) FROM pg_catalog.pg_class c
             WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND c.relname IN ('file', 'alembic_version'))
 ORDER BY 1`

// ListNeighbours names the schemas of other installations.
func (db *DB) ListNeighbours(ctx context.Context, t repo.Tx) ([]string, error) {
	schemas, err := refindex.ReadColumn[string](ctx, pgxTx(t), neighboursSQL, db.schema)
	return schemas, pgerr.Translate(err, "look for other installations in this database")
}

// ApproveStore approves a store as this installation's.
func (db *DB) ApproveStore(ctx context.Context, t repo.Tx, store, accepted string) error {
	_, err := pgxTx(t).Exec(ctx, `INSERT INTO pruned.binding (store, identity, accepted) VALUES ($1::text, $2::text, $3::text)
		ON CONFLICT (store, identity) DO UPDATE SET accepted = excluded.accepted`, store, db.identity.String(), accepted)
	return pgerr.Translate(err, "bind %s to this installation", store)
}

// RevokeStore withdraws the approval of a store.
func (db *DB) RevokeStore(ctx context.Context, t repo.Tx, store string) error {
	_, err := pgxTx(t).Exec(ctx, `DELETE FROM pruned.binding WHERE store = $1::text AND identity = $2::text`, store, db.identity.String())
	return pgerr.Translate(err, "unbind %s", store)
}

// StoreApproval reports whether a store is approved for this installation: a copy of the
// database is another one.
func (db *DB) StoreApproval(ctx context.Context, t repo.Tx, store string) (accepted string, bound bool, err error) {
	err = pgxTx(t).QueryRow(ctx, `SELECT accepted FROM pruned.binding WHERE store = $1::text AND identity = $2::text`,
		store, db.identity.String()).Scan(&accepted)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	}
	return accepted, err == nil, pgerr.Translate(err, "look whether %s is bound", store)
}
