package postgres

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

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
