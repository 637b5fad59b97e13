package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"

	"pruned/repo"
	"pruned/repo/fileinfo"
)

// usagePage is how many rows a statement of a listing reads: without a write-ahead log
// writers wait for it.
const usagePage = 500

// fileBytesSQL counts the pages of table file and of its indexes.
const fileBytesSQL = `
SELECT coalesce(sum(pgsize), 0) FROM dbstat('main', 1)
 WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = 'file' AND rootpage > 0)`

// MeasureDatabase looks at the file and its log. The pages of a table are counted by a
// statement that reads all of them, which is left alone where writers would wait for it.
func (db *DB) MeasureDatabase(ctx context.Context) (repo.DatabaseSize, error) {
	size := repo.DatabaseSize{Where: "webui.db with its log"}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		info, err := os.Stat(db.options.Path + suffix)
		switch {
		case err == nil:
			size.Bytes += fileinfo.AllocatedBytes(info)
		case suffix == "" || !errors.Is(err, fs.ErrNotExist):
			return size, translate(err, "measure the database")
		}
	}
	var mode string
	_, err := queryOne(ctx, db.pool, `PRAGMA journal_mode`, nil, &mode)
	if err == nil && mode == "wal" {
		_, err = queryOne(ctx, db.pool, fileBytesSQL, nil, &size.FileBytes)
	} else {
		size.NotMeasured = "writers would wait for it, as there is no write-ahead log"
	}
	return size, translate(err, "measure the database")
}

// storedColumns are those of a repo.StoredFile. Whatever a column holds, it is told as
// text.
const storedColumns = `CAST(f.id AS TEXT), coalesce(CAST(f.user_id AS TEXT), ''), coalesce(CAST(f.path AS TEXT), ''),
       coalesce(CASE WHEN json_valid(f.meta) AND json_type(f.meta) = 'object' AND json_type(f.meta, '$.file_hash') = 'text'
                     THEN f.meta ->> '$.file_hash' END, CAST(f.hash AS TEXT), ''),
       coalesce(octet_length(f.data), 0)`

const storedSQL = `
SELECT ` + storedColumns + `, f.rowid
  FROM file f WHERE f.rowid > ?1 AND f.id IS NOT NULL ORDER BY f.rowid LIMIT ?2`

// ListStored lists the rows of table file as they lie.
func (db *DB) ListStored(ctx context.Context) iter.Seq2[repo.StoredFile, error] {
	return listPages(ctx, db, "list the files", storedSQL, storedFields)
}

func storedFields(f *repo.StoredFile) []any {
	return []any{&f.ID, &f.UserID, &f.Path, &f.Hash, &f.TextBytes}
}

const knowledgeFilesSQL = `
SELECT ` + storedColumns + `, CAST(l.knowledge_id AS TEXT), l.rowid
  FROM knowledge_file l JOIN file f ON f.id = l.file_id
 WHERE l.rowid > ?1 AND l.knowledge_id IS NOT NULL ORDER BY l.rowid LIMIT ?2`

// ListKnowledgeFiles lists the files of knowledge bases as the links lie.
func (db *DB) ListKnowledgeFiles(ctx context.Context) iter.Seq2[repo.KnowledgeFile, error] {
	return func(yield func(repo.KnowledgeFile, error) bool) {
		const doing = "list the files of knowledge bases"
		there, err := db.hasTable(ctx, "knowledge_file")
		if err == nil && !there {
			err = &repo.Error{Kind: repo.Permanent, Doing: doing, Err: repo.ErrNoLinks}
		}
		if err != nil {
			yield(repo.KnowledgeFile{}, translate(err, doing))
			return
		}
		listPages(ctx, db, doing, knowledgeFilesSQL, func(f *repo.KnowledgeFile) []any {
			return append(storedFields(&f.StoredFile), &f.KnowledgeID)
		})(yield)
	}
}

// listPages lists what a statement answers after a row, whose number is its last column,
// page by page.
func listPages[T any](ctx context.Context, db *DB, doing, sql string, fields func(*T) []any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for after := int64(noRow); ; {
			var value T
			var page []T
			err := queryEach(ctx, db.pool, sql, []any{after, usagePage}, append(fields(&value), &after), func() error {
				page = append(page, value)
				return nil
			})
			if err != nil {
				yield(value, translate(err, "%s", doing))
				return
			}
			for _, one := range page {
				if !yield(one, nil) {
					return
				}
			}
			if len(page) < usagePage {
				return
			}
		}
	}
}

const (
	usersSQL         = `SELECT CAST(id AS TEXT), coalesce(nullif(CAST(name AS TEXT), ''), CAST(email AS TEXT), ''), '' FROM "user" WHERE id IS NOT NULL`
	knowledgeBaseSQL = `SELECT CAST(id AS TEXT), coalesce(CAST(name AS TEXT), ''), coalesce(CAST(user_id AS TEXT), '') FROM knowledge WHERE id IS NOT NULL`
)

// ListOwners lists users and knowledge bases.
func (db *DB) ListOwners(ctx context.Context) (users, knowledge []repo.Owner, err error) {
	users, err = db.listOwners(ctx, "user", usersSQL)
	if err == nil {
		knowledge, err = db.listOwners(ctx, "knowledge", knowledgeBaseSQL)
	}
	return users, knowledge, translate(err, "list users and knowledge bases")
}

func (db *DB) hasTable(ctx context.Context, name string) (there bool, err error) {
	_, err = queryOne(ctx, db.pool, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1 AND type = 'table')`, []any{name}, &there)
	return there, err
}

func (db *DB) listOwners(ctx context.Context, table, sql string) (list []repo.Owner, err error) {
	if there, err := db.hasTable(ctx, table); err != nil || !there {
		return nil, err
	}
	var o repo.Owner
	err = queryEach(ctx, db.pool, sql, nil, []any{&o.ID, &o.Name, &o.UserID}, func() error {
		list = append(list, o)
		return nil
	})
	return list, err
}

// FindFileUsers looks by the key of table file.
func (db *DB) FindFileUsers(ctx context.Context, ids []string) (map[string]string, error) {
	users := map[string]string{}
	var id, user string
	err := queryEach(ctx, db.pool, `SELECT id, coalesce(CAST(user_id AS TEXT), '') FROM file WHERE id IN (SELECT value FROM json_each(?1))`,
		[]any{jsonList(ids)}, []any{&id, &user}, func() error {
			users[id] = user
			return nil
		})
	return users, translate(err, "look whose %d files are", len(ids))
}
