package postgres

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// usagePage is how many rows a statement of a listing reads.
const usagePage = 1000

// MeasureDatabase asks for the sizes of files, whatever is in them.
func (db *DB) MeasureDatabase(ctx context.Context) (repo.DatabaseSize, error) {
	size := repo.DatabaseSize{Where: "database " + db.identity.Name}
	err := db.readRow(ctx, `SELECT pg_database_size(current_database()), pg_total_relation_size($1::text::regclass)`,
		[]any{db.quotedTable("file")}, &size.Bytes, &size.FileBytes)
	return size, pgerr.Translate(err, "measure the database")
}

// storedColumns are those of a repo.StoredFile. The hash is searched for as text (see
// maxTextBytes). The size of the text is that of what is stored, compressed as it is:
// nothing is read for it.
const storedColumns = `f.id::text, coalesce(f.user_id::text, ''), coalesce(f.path::text, ''),
       coalesce((SELECT CASE WHEN octet_length(m.text) <= ` + maxTextBytes + `
                             THEN substring(m.text FROM '"file_hash"\s*:\s*"([0-9a-f]+)"') END
                   FROM (SELECT f.meta::text COLLATE "C" AS text OFFSET 0) m), f.hash::text, ''),
       coalesce(pg_column_size(f.data), 0)::bigint`

const storedSQL = `
SELECT ` + storedColumns + `, f.id::text
  FROM %s f WHERE f.id > $1::text ORDER BY f.id LIMIT $2::int`

// ListStored lists the rows of table file by their ids.
func (db *DB) ListStored(ctx context.Context) iter.Seq2[repo.StoredFile, error] {
	return listPages(ctx, db, "list the files", db.withFileTable(storedSQL), storedFields)
}

func storedFields(f *repo.StoredFile) []any {
	return []any{&f.ID, &f.UserID, &f.Path, &f.Hash, &f.TextBytes}
}

// ListKnowledgeFiles lists the files of knowledge bases by the ids of the links.
func (db *DB) ListKnowledgeFiles(ctx context.Context) iter.Seq2[repo.KnowledgeFile, error] {
	return func(yield func(repo.KnowledgeFile, error) bool) {
		const doing = "list the files of knowledge bases"
		there := false
		err := db.InTx(ctx, nil, func(t repo.Tx) (err error) {
			there, err = db.hasTable(ctx, t, "knowledge_file")
			return err
		})
		if err == nil && !there {
			err = &repo.Error{Kind: repo.Permanent, Doing: doing, Err: repo.ErrNoLinks}
		}
		if err != nil {
			yield(repo.KnowledgeFile{}, err)
			return
		}
		sql := db.withFileTable(`SELECT `+storedColumns+`, l.knowledge_id::text, l.id::text FROM %s f JOIN `) + db.quotedTable("knowledge_file") +
			` l ON l.file_id = f.id WHERE l.id > $1::text ORDER BY l.id LIMIT $2::int`
		listPages(ctx, db, doing, sql, func(f *repo.KnowledgeFile) []any {
			return append(storedFields(&f.StoredFile), &f.KnowledgeID)
		})(yield)
	}
}

// listPages lists what a statement answers after a key, which is its last column, page by
// page, each in a transaction of its own.
func listPages[T any](ctx context.Context, db *DB, doing, sql string, fields func(*T) []any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for after := ""; ; {
			var page []T
			err := db.inOwnTx(ctx, func(t pgx.Tx) (err error) {
				rows, _ := t.Query(ctx, sql, after, usagePage)
				page, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (value T, err error) {
					return value, row.Scan(append(fields(&value), &after)...)
				})
				return err
			})
			if err != nil {
				var none T
				yield(none, pgerr.Translate(err, "%s", doing))
				return
			}
			for _, value := range page {
				if !yield(value, nil) {
					return
				}
			}
			if len(page) < usagePage {
				return
			}
		}
	}
}

// ListOwners lists users and knowledge bases.
func (db *DB) ListOwners(ctx context.Context) (users, knowledge []repo.Owner, err error) {
	err = db.InTx(ctx, nil, func(t repo.Tx) (err error) {
		users, err = db.listOwners(ctx, t, `coalesce(nullif(name::text, ''), email::text, ''), ''`, "user")
		if err == nil {
			knowledge, err = db.listOwners(ctx, t, `coalesce(name::text, ''), coalesce(user_id::text, '')`, "knowledge")
		}
		return err
	})
	return users, knowledge, pgerr.Translate(err, "list users and knowledge bases")
}

func (db *DB) listOwners(ctx context.Context, t repo.Tx, columns, table string) ([]repo.Owner, error) {
	if there, err := db.hasTable(ctx, t, table); err != nil || !there {
		return nil, err
	}
	rows, _ := pgxTx(t).Query(ctx, `SELECT id::text, `+columns+` FROM `+db.quotedTable(table))
	return pgx.CollectRows(rows, pgx.RowToStructByPos[repo.Owner])
}

// FindFileUsers looks by the key of table file.
func (db *DB) FindFileUsers(ctx context.Context, ids []string) (map[string]string, error) {
	users := map[string]string{}
	err := db.inOwnTx(ctx, func(t pgx.Tx) error {
		rows, _ := t.Query(ctx, db.withFileTable(`SELECT id::text, coalesce(user_id::text, '') FROM %s WHERE id = ANY ($1::text[])`), ids)
		var id, user string
		_, err := pgx.ForEachRow(rows, []any{&id, &user}, func() error {
			users[id] = user
			return nil
		})
		return err
	})
	return users, pgerr.Translate(err, "look whose %d files are", len(ids))
}
