package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// LockTrash locks the tombstones of a file and then its entry, in the order in which
// whoever carries them out does.
func (db *DB) LockTrash(ctx context.Context, t repo.Tx, id string) (entry repo.Trashed, found bool, err error) {
	q := pgxTx(t)
	if err := db.waitForFirstLock(ctx, q); err != nil {
		return entry, false, err
	}
	if _, err := q.Exec(ctx, `SELECT FROM pruned.tombstone WHERE file_id = $1::text AND identity = $2::text ORDER BY seq FOR UPDATE`, id, db.identity.String()); err != nil {
		return entry, false, pgerr.Translate(err, "lock the tombstones of file %s", id)
	}
	rows, _ := q.Query(ctx, `SELECT `+trashedColumns+` FROM pruned.trash WHERE file_id = $1::text AND identity = $2::text FOR UPDATE`, id, db.identity.String())
	entry, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[repo.Trashed])
	if errors.Is(err, pgx.ErrNoRows) {
		return entry, false, nil
	}
	return entry, err == nil, pgerr.Translate(err, "lock file %s in the trash", id)
}

// column is one of table file.
type column struct {
	name               string
	isJSON, isComputed bool
	refusesNull        bool
}

// columnsSQL returns the columns of table file; domains count as what they are over.
const columnsSQL = `
SELECT a.attname::text, coalesce(nullif(t.typbasetype, 0), t.oid) IN ('json'::regtype, 'jsonb'::regtype), a.attgenerated <> '', a.attnotnull
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`

func (db *DB) fileColumns(ctx context.Context, t pgx.Tx) (list []column, err error) {
	rows, _ := t.Query(ctx, columnsSQL, db.quotedTable("file"))
	var c column
	_, err = pgx.ForEachRow(rows, []any{&c.name, &c.isJSON, &c.isComputed, &c.refusesNull}, func() error { list = append(list, c); return nil })
	return list, pgerr.Translate(err, "read the columns of table file")
}

// Restore writes the row of an entry. What belongs to it may live again.
func (db *DB) Restore(ctx context.Context, t repo.Tx, id string) (r repo.Restored, err error) {
	t.(tx).countAsForeign()
	q := pgxTx(t)
	var content string
	err = q.QueryRow(ctx, `SELECT content::text FROM pruned.trash WHERE file_id = $1::text AND identity = $2::text`, id, db.identity.String()).Scan(&content)
	if err != nil {
		return r, pgerr.Translate(err, "read file %s in the trash", id)
	}
	columns, err := db.fileColumns(ctx, q)
	if err != nil {
		return r, err
	}
	row := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(content), &row); err != nil {
		return r, &repo.Error{Kind: repo.Permanent, Doing: fmt.Sprintf("read file %s in the trash", id), Err: errors.New("its row is no JSON object")}
	}
	sql, args, r, err := db.restoreSQL(columns, row)
	if err != nil {
		return r, err
	}
	if err := db.insertRestored(ctx, q, id, sql, args); err != nil {
		return r, err
	}
	return r, db.closeRestored(ctx, q, id)
}

// restoreSQL is the statement that writes a row. PostgreSQL makes the values of most types
// from JSON by itself. It cannot read JSON in which a NUL is escaped, which may stand in a
// column of JSON and nowhere else: those go as texts of their own.
func (db *DB) restoreSQL(columns []column, row map[string]json.RawMessage) (sql string, args []any, r repo.Restored, err error) {
	args = []any{""}
	var names, values []string
	simple := map[string]json.RawMessage{}
	for _, c := range columns {
		value, had := row[c.name]
		delete(row, c.name)
		switch name := refindex.QuoteName(c.name); {
		case c.isComputed:
		case !had:
			r.Added = append(r.Added, c.name)
		case c.isJSON && string(value) == "null" && !c.refusesNull: // both mean the same to the application
			names, values = append(names, name), append(values, "NULL")
		case c.isJSON:
			args = append(args, string(value))
			names, values = append(names, name), append(values, fmt.Sprintf("$%d::pg_catalog.text::pg_catalog.json", len(args)))
		default:
			names, values = append(names, name), append(values, "r."+name)
			simple[c.name] = value
		}
	}
	r.Dropped = slices.Sorted(maps.Keys(row))
	encoded, err := json.Marshal(simple)
	if err != nil {
		return "", nil, r, fmt.Errorf("encode a row of the trash: %w", err)
	}
	args[0] = string(encoded)
	table := db.quotedTable("file")
	return `INSERT INTO ` + table + ` (` + strings.Join(names, ", ") + `) OVERRIDING SYSTEM VALUE
SELECT ` + strings.Join(values, ", ") + ` FROM pg_catalog.json_populate_record(NULL::` + table + `, $1::pg_catalog.text::pg_catalog.json) r`, args, r, nil
}

// insertRestored writes the row, under the role's own search path for the sake of triggers.
func (db *DB) insertRestored(ctx context.Context, t pgx.Tx, id, sql string, args []any) error {
	var lives bool
	if err := t.QueryRow(ctx, db.withFileTable(`SELECT EXISTS (SELECT FROM %s WHERE id = $1::text)`), id).Scan(&lives); err != nil {
		return pgerr.Translate(err, "look for a row of file %s", id)
	}
	if lives {
		return &repo.Error{Kind: repo.Permanent, Doing: "restore file " + id, Err: repo.ErrLivesAgain}
	}
	var written int64
	batch := &pgx.Batch{}
	batch.Queue(ownPath)
	batch.Queue(sql, args...).Exec(func(tag pgconn.CommandTag) error {
		written = tag.RowsAffected()
		return nil
	})
	batch.Queue(safePath)
	err := t.SendBatch(ctx, batch).Close()
	if err = pgerr.Translate(err, "write the row of file %s", id); repo.SQLState(err) == denied {
		return &repo.Error{Kind: repo.Environment, SQLState: denied, Doing: "restore file " + id,
			Err: fmt.Errorf("the role may not write table file: GRANT INSERT ON %s TO %s; (%w)", db.quotedTable("file"), refindex.QuoteName(t.Conn().Config().User), err)}
	}
	if err == nil && written != 1 {
		err = &repo.Error{Kind: repo.Permanent, Doing: "restore file " + id, Err: errors.New("no row was written, without an error: a rule, a trigger or a policy prevents it")}
	}
	return err
}

// closeRestored forgets that the file was deleted, and since when nothing mentions it.
func (db *DB) closeRestored(ctx context.Context, t pgx.Tx, id string) error {
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM pruned.trash WHERE file_id = $1::text`, id)
	batch.Queue(`DELETE FROM pruned.tombstone WHERE file_id = $1::text AND identity = $2::text AND kind IN ('bytes', 'vectors')`, id, db.identity.String())
	batch.Queue(`DELETE FROM pruned.candidate WHERE file_id = $1::text AND direction IN ('row', 'vector', 'bytes')`, id)
	return pgerr.Translate(t.SendBatch(ctx, batch).Close(), "close the tombstones of file %s", id)
}
