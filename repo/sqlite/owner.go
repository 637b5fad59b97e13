package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"pruned/repo"
)

// queryText runs a query for one column of text, that sees what the transaction wrote.
func queryText(ctx context.Context, t repo.Tx, query string, args ...any) ([]string, error) {
	return queryColumn[string](ctx, sweepView{sqliteTx(t)}, query, args...)
}

const rowlessIDsSQL = `
SELECT c.file_id, EXISTS (SELECT 1 FROM pruned_ledger l WHERE l.file_id = c.file_id AND l.outcome = 'deleted')
  FROM (SELECT value AS file_id FROM json_each(?1)) c WHERE ` + noRowSQL

// FindRowless finds those of these ids that are no file's here, and whether they were.
func (db *DB) FindRowless(ctx context.Context, t repo.Tx, ids []string) (map[string]bool, error) {
	had := map[string]bool{}
	var id string
	var was bool
	err := queryEach(ctx, sweepView{sqliteTx(t)}, rowlessIDsSQL, []any{jsonList(ids)}, []any{&id, &was}, func() error {
		had[id] = was
		return nil
	})
	return had, translate(err, "look which of %d ids were ever files", len(ids))
}

// FindUnknownUsers says which of these users this database never had.
func (db *DB) FindUnknownUsers(ctx context.Context, t repo.Tx, users []string) ([]string, error) {
	unknown, err := queryText(ctx, t, `SELECT value FROM json_each(?1) EXCEPT SELECT CAST(id AS TEXT) FROM "user" EXCEPT SELECT CAST(user_id AS TEXT) FROM file`, jsonList(users))
	return unknown, translate(err, "look which of %d users there are", len(users))
}

// ListNeighbours are none: a file holds one installation.
func (db *DB) ListNeighbours(context.Context, repo.Tx) ([]string, error) { return nil, nil }

const approveSQL = `
INSERT INTO pruned_binding (store, identity, at, accepted) VALUES (@store, @identity, @now, @accepted)
    ON CONFLICT (store, identity) DO UPDATE SET accepted = excluded.accepted`

// ApproveStore says that a store is this installation's.
func (db *DB) ApproveStore(ctx context.Context, t repo.Tx, store, accepted string) error {
	return sqliteTx(t).deferred.enqueue(ctx, statement{approveSQL, []any{sql.Named("store", store), sql.Named("identity", db.identity.Key),
		sql.Named("now", toMicros(time.Now())), sql.Named("accepted", accepted)}})
}

// RevokeStore takes that back.
func (db *DB) RevokeStore(ctx context.Context, t repo.Tx, store string) error {
	return sqliteTx(t).deferred.enqueue(ctx, statement{`DELETE FROM pruned_binding WHERE store = ?1 AND identity = ?2`, []any{store, db.identity.Key}})
}

// StoreApproval says whether a store is bound to this installation: a copy of the database
// is another one.
func (db *DB) StoreApproval(ctx context.Context, t repo.Tx, store string) (accepted string, bound bool, err error) {
	bound, err = queryOne(ctx, sweepView{sqliteTx(t)}, `SELECT accepted FROM pruned_binding WHERE store = ?1 AND identity = ?2`, []any{store, db.identity.Key}, &accepted)
	return accepted, bound, translate(err, "look whether %s is bound", store)
}

// provenLinks are link tables that are not empty where their proof has a row.
var provenLinks = []struct{ name, proof string }{{"knowledge_file", `SELECT 1 FROM knowledge`}, {"chat_file", chatsHoldFiles}}

func emptyLinkSQL(table, proof string) string {
	return fmt.Sprintf(`SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM %s) AND EXISTS (%s)`, table, proof)
}

// chatsHoldFiles has a row where chats hold more than a few files: by their ids, in
// the JSON of the application and of others.
var chatsHoldFiles = fmt.Sprintf(`SELECT 1 WHERE (SELECT count(*) FROM (
	SELECT DISTINCT f.id FROM chat c, json_tree(CASE WHEN typeof(c.chat) = 'text' AND json_valid(c.chat) THEN c.chat ELSE '{}' END) j
	  JOIN file f ON f.id = j.atom
	 WHERE (c.chat LIKE '%%"files": [{%%' OR c.chat LIKE '%%"files":[{%%') AND j.type = 'text'
	 LIMIT %d)) > %d`, repo.FewLinks+1, repo.FewLinks)

// EmptyLinks names link tables that are empty and were not.
func (db *DB) EmptyLinks(ctx context.Context, t repo.Tx) (tables []string, err error) {
	for _, link := range provenLinks {
		there, err := queryText(ctx, t, `SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name = ?1`, link.name)
		if err == nil && len(there) > 0 {
			there, err = queryText(ctx, t, emptyLinkSQL(link.name, link.proof), link.name)
			tables = append(tables, there...)
		}
		if err != nil {
			return nil, translate(err, "look whether %s lost its rows", link.name)
		}
	}
	return tables, nil
}

// LinkedFiles counts the files of those of these knowledge bases that exist.
func (db *DB) LinkedFiles(ctx context.Context, t repo.Tx, knowledge []string) (map[string]int64, error) {
	counts := map[string]int64{}
	there, err := queryText(ctx, t, `SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name = 'knowledge_file'`)
	if err != nil || len(there) == 0 {
		return counts, translate(err, "look for table knowledge_file")
	}
	var id string
	var n int64
	err = queryEach(ctx, sweepView{sqliteTx(t)}, `SELECT k.id, (SELECT count(*) FROM knowledge_file l WHERE l.knowledge_id = k.id) FROM knowledge k
		WHERE k.id IN (SELECT value FROM json_each(?1))`, []any{jsonList(knowledge)}, []any{&id, &n}, func() error {
		counts[id] = n
		return nil
	})
	return counts, translate(err, "count the files of %d knowledge bases", len(knowledge))
}
