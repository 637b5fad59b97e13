package postgres

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// settleSQL records that rows which were touched lately are not in flight, so that not
// every sweep reads their status. A row that is touched again is read again.
var settleSQL = `
UPDATE pruned.candidate c SET settled = v.stamp
  FROM (` + candidatesSQL(repo.FromRows, "") + `) v
 WHERE c.direction = 'row' AND c.file_id = v.file_id AND v.there AND NOT v.in_flight
   AND v.touched > v.now - @pending::float8 AND v.stamp < 9e18 AND v.stamp IS DISTINCT FROM v.settled`

// CountCandidates counts a direction's candidates.
func (db *DB) CountCandidates(ctx context.Context, t repo.Tx, d repo.Direction, ages repo.Ages, listed int64) (repo.CandidateCount, error) {
	census := repo.CandidateCount{Total: listed}
	if d == repo.FromRows {
		sql, args := db.bindArgs(settleSQL, agesArgs(ages, nil))
		if _, err := t.Exec(ctx, sql, args...); err != nil {
			return census, pgerr.Translate(err, "look which candidates are in flight")
		}
		if err := pgxTx(t).QueryRow(ctx, db.withFileTable(`SELECT count(*) FROM %s`)).Scan(&census.Total); err != nil {
			return census, pgerr.Translate(err, "count the rows of table file")
		}
	}
	sql, args := db.bindArgs(`SELECT count(*) FROM (`+candidatesSQL(d, ` AND NOT confirmed`)+`) v
		WHERE v.there AND coalesce(v.ripe <= 0, true)`, agesArgs(ages, nil))
	err := pgxTx(t).QueryRow(ctx, sql, args...).Scan(&census.Found)
	return census, pgerr.Translate(err, "count the candidates among %s", d)
}

// sanitySQL checks that files exist and, for rows ($1), that some file is mentioned. A
// file that the index knows and that is no candidate is mentioned by a living row, as
// UpsertRowCandidates has just found out; the references themselves stay for a while when their rows
// vanish.
func (db *DB) sanitySQL() string {
	return db.withFileTable(`
SELECT CASE WHEN NOT EXISTS (SELECT FROM %s) THEN 'no file'
            WHEN $1::bool AND EXISTS (SELECT FROM ` + db.quotedTable("chat") + `)
             AND NOT EXISTS (SELECT FROM %s f JOIN pruned.known_file k ON k.file_id = f.id
                              WHERE ` + refindex.KnownSQL + `
                                AND NOT EXISTS (SELECT FROM pruned.candidate c WHERE c.direction = 'row' AND c.file_id = f.id)) THEN 'no reference'
            ELSE '' END`)
}

// CheckSanity returns why nothing in the database can be believed, or an empty text.
func (db *DB) CheckSanity(ctx context.Context, t repo.Tx, d repo.Direction, listed int64) (why string, err error) {
	if d.IsLeftover() {
		return db.checkUsers(ctx, t, listed)
	}
	var lacks string
	err = pgxTx(t).QueryRow(ctx, db.sanitySQL(), d == repo.FromRows).Scan(&lacks)
	switch {
	case err != nil:
		return "", pgerr.Translate(err, "look whether the database can be believed")
	case lacks == "no reference":
		return "there are files and chats, and not one of these files is mentioned anywhere", nil
	case lacks == "no file" && d != repo.FromRows && listed > 0:
		return "table file is empty, and the store is not", nil
	}
	return "", nil
}

// checkUsers tells of a table user without a row: of memories, knowledge bases and web
// searches it says nothing then.
func (db *DB) checkUsers(ctx context.Context, t repo.Tx, listed int64) (why string, err error) {
	var users bool
	err = pgxTx(t).QueryRow(ctx, `SELECT EXISTS (SELECT FROM `+db.quotedTable("user")+`)`).Scan(&users)
	if err == nil && !users && listed > 0 {
		why = "table user is empty, and the store is not"
	}
	return why, pgerr.Translate(err, "look whether there are users")
}

// EmptyLinks names link tables that are empty and were not. The index tells which
// chats mention files.
func (db *DB) EmptyLinks(ctx context.Context, t repo.Tx) (tables []string, err error) {
	for _, link := range []struct {
		name, proof string
		args        []any
	}{
		{"knowledge_file", `SELECT FROM ` + db.quotedTable("knowledge"), nil},
		{"chat_file", `SELECT WHERE (SELECT count(*) FROM (SELECT DISTINCT r.file_id FROM pruned.relation s JOIN pruned.reference r ON r.source = s.id
			JOIN ` + db.quotedTable("chat") + ` c ON c.id = r.row_id JOIN ` + db.quotedTable("file") + ` f ON f.id = r.file_id
			WHERE s.relid = to_regclass($1::text) LIMIT ` + strconv.Itoa(repo.FewLinks+1) + `) files) > ` + strconv.Itoa(repo.FewLinks), []any{db.quotedTable("chat")}},
	} {
		there, err := db.hasTable(ctx, t, link.name)
		if err != nil {
			return nil, err
		}
		empty := false
		if there {
			err = pgxTx(t).QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM `+db.quotedTable(link.name)+`) AND EXISTS (`+link.proof+`)`, link.args...).Scan(&empty)
		}
		if err != nil {
			return nil, pgerr.Translate(err, "look whether %s lost its rows", link.name)
		}
		if empty {
			tables = append(tables, link.name)
		}
	}
	return tables, nil
}

// LinkedFiles counts the files of those of these knowledge bases that exist.
func (db *DB) LinkedFiles(ctx context.Context, t repo.Tx, knowledge []string) (map[string]int64, error) {
	counts := map[string]int64{}
	there, err := db.hasTable(ctx, t, "knowledge_file")
	if err != nil || !there {
		return counts, err
	}
	rows, _ := pgxTx(t).Query(ctx, `SELECT k.id, (SELECT count(*) FROM `+db.quotedTable("knowledge_file")+` l WHERE l.knowledge_id = k.id)
		FROM `+db.quotedTable("knowledge")+` k WHERE k.id = ANY ($1::text[])`, knowledge)
	var id string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error {
		counts[id] = n
		return nil
	})
	return counts, pgerr.Translate(err, "count the files of %d knowledge bases", len(knowledge))
}

func (db *DB) hasTable(ctx context.Context, t repo.Tx, name string) (there bool, err error) {
	err = pgxTx(t).QueryRow(ctx, `SELECT to_regclass($1::text) IS NOT NULL`, db.quotedTable(name)).Scan(&there)
	return there, pgerr.Translate(err, "look for table %s", name)
}
