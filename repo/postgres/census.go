package postgres

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

// settleSQL notes of rows that were touched lately and are not in flight that this
// was seen, so that their status is not read by every sweep. A row that is touched
// again is looked at again.
const settleSQL = `
UPDATE pruned.candidate c SET settled = v.stamp
  FROM ({rows}) v
 WHERE c.direction = 'row' AND c.file_id = v.file_id AND v.there AND NOT v.in_flight
   AND v.touched > v.now - $2::float8 AND v.stamp < 9e18 AND v.stamp IS DISTINCT FROM v.settled`

// Census counts a direction's candidates.
func (db *DB) Census(ctx context.Context, t repo.Tx, d repo.Direction, ages repo.Ages, listed int64) (repo.Census, error) {
	census := repo.Census{There: listed}
	args := agesArgs(ages)[:2]
	if d == repo.FromRows {
		if _, err := t.Exec(ctx, strings.Replace(settleSQL, "{rows}", db.candidatesOf(d, ""), 1), args...); err != nil {
			return census, pgerr.Translate(err, "look which candidates are in flight")
		}
		if err := pgxTx(t).QueryRow(ctx, db.sql(`SELECT count(*) FROM %s`)).Scan(&census.There); err != nil {
			return census, pgerr.Translate(err, "count the rows of table file")
		}
	}
	err := pgxTx(t).QueryRow(ctx, `SELECT count(*) FROM (`+db.candidatesOf(d, ` AND NOT confirmed`)+`) v
		WHERE v.there AND coalesce(v.ripe <= 0, true)`, args...).Scan(&census.Found)
	return census, pgerr.Translate(err, "count the candidates among %s", d)
}

// barrenSQL: $1 says that rows are meant. A file that the index knows, and that is
// no candidate, is one that a living row mentions, as MarkRows has just found out;
// the references themselves stay for a while when their rows vanish.
const barrenSQL = `
SELECT CASE WHEN NOT EXISTS (SELECT FROM %s) THEN 'no file'
            WHEN $1::bool AND EXISTS (SELECT FROM {chat})
             AND NOT EXISTS (SELECT FROM %s f JOIN pruned.known_file k ON k.file_id = f.id
                              WHERE ` + refindex.KnownSQL + `
                                AND NOT EXISTS (SELECT FROM pruned.candidate c WHERE c.direction = 'row' AND c.file_id = f.id)) THEN 'no reference'
            ELSE '' END`

// Barren says that nothing in the database can be believed.
func (db *DB) Barren(ctx context.Context, t repo.Tx, d repo.Direction, listed int64) (why string, err error) {
	var lacks string
	err = pgxTx(t).QueryRow(ctx, strings.Replace(db.sql(barrenSQL), "{chat}", db.table("chat"), 1), d == repo.FromRows).Scan(&lacks)
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

// emptyLinksSQL asks for one link table; {link} and {proof} are put in.
func emptyLinksSQL(link, proof string) string {
	return `SELECT NOT EXISTS (SELECT FROM ` + link + `) AND EXISTS (` + proof + `)`
}

// EmptyLinks names link tables that are empty and were not. The index tells which
// chats mention files.
func (db *DB) EmptyLinks(ctx context.Context, t repo.Tx) (tables []string, err error) {
	for _, link := range []struct{ name, proof string }{
		{"knowledge_file", `SELECT FROM ` + db.table("knowledge") + ` WHERE $1::text IS NOT NULL`},
		{"chat_file", `SELECT WHERE (SELECT count(*) FROM (SELECT DISTINCT r.file_id FROM pruned.relation s JOIN pruned.reference r ON r.source = s.id
			JOIN ` + db.table("chat") + ` c ON c.id = r.row_id JOIN ` + db.table("file") + ` f ON f.id = r.file_id
			WHERE s.relid = to_regclass($1::text) LIMIT ` + strconv.Itoa(repo.FewLinks+1) + `) files) > ` + strconv.Itoa(repo.FewLinks)},
	} {
		there, err := db.hasTable(ctx, t, link.name)
		if err != nil {
			return nil, err
		}
		empty := false
		if there {
			err = pgxTx(t).QueryRow(ctx, emptyLinksSQL(db.table(link.name), link.proof), db.table("chat")).Scan(&empty)
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
	rows, _ := pgxTx(t).Query(ctx, `SELECT k.id, (SELECT count(*) FROM `+db.table("knowledge_file")+` l WHERE l.knowledge_id = k.id)
		FROM `+db.table("knowledge")+` k WHERE k.id = ANY ($1::text[])`, knowledge)
	var id string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error {
		counts[id] = n
		return nil
	})
	return counts, pgerr.Translate(err, "count the files of %d knowledge bases", len(knowledge))
}

func (db *DB) hasTable(ctx context.Context, t repo.Tx, name string) (there bool, err error) {
	err = pgxTx(t).QueryRow(ctx, `SELECT to_regclass($1::text) IS NOT NULL`, db.table(name)).Scan(&there)
	return there, pgerr.Translate(err, "look for table %s", name)
}
