package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
	"pruned/repo/postgres/refindex"
)

func notMade(context.Context) ([]repo.Finding, error) {
	return []repo.Finding{{Check: "reference index", OK: true, Detail: "not there yet", Remedy: "pruned run makes it"}}, nil
}

// staleAfter is the age of an index from which on an operator is told to run pruned.
const staleAfter = time.Hour

const indexSizeSQL = `
SELECT extract(epoch FROM clock_timestamp() - passed_at)::float8,
       (SELECT count(*) FROM pruned.known_file WHERE NOT is_name), (SELECT count(*) FROM pruned.reference),
       (SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
         WHERE relnamespace = 'pruned'::regnamespace AND relkind = 'r')
  FROM pruned.state`

// checkIndex also checks that answers from the index would be believed: it may be complete
// for other tables, or other settings, than there are now.
func (db *DB) checkIndex(ctx context.Context) ([]repo.Finding, error) {
	var ago *float64
	var files, references, size int64
	err := db.readRow(ctx, indexSizeSQL, nil, &ago, &files, &references, &size)
	if err != nil {
		return nil, pgerr.Translate(err, "read the state of the reference index")
	}
	if ago == nil {
		return notMade(ctx)
	}
	err = db.inOwnTx(ctx, func(t pgx.Tx) error { return db.index.RequireComplete(ctx, t) })
	if repo.KindOf(err) == repo.Environment {
		return []repo.Finding{{Check: "reference index", Detail: "nothing is deleted: " + err.Error(), Remedy: "pruned run completes it"}}, nil
	}
	age := toDuration(*ago).Round(time.Second)
	f := repo.Finding{Check: "reference index", OK: true, Detail: fmt.Sprintf("%d files, %d references, brought up to date %s ago; all of pruned's tables take %s",
		files, references, age, humanize.IBytes(uint64(size)))}
	if age > staleAfter {
		f.Remedy = "pruned run brings it up to date"
	}
	return []repo.Finding{f}, err
}

// slowSize is the size of a table, in bytes, from which on an index is worth more than
// reading the table for each deleted file.
const slowSize = 1 << 20

// unindexedSQL lists foreign keys to table file that no index helps: PostgreSQL then reads
// the whole table for each file that is deleted. $1 is the schema, $2 the minimum size.
const unindexedSQL = `
SELECT k.conrelid::regclass::text, quote_ident(a.attname), pg_relation_size(k.conrelid)
  FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
 WHERE k.contype = 'f' AND k.confrelid = to_regclass(format('%I.file', $1::text))
   AND pg_relation_size(k.conrelid) >= $2::bigint
   AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = k.conkey[1])
 ORDER BY 3 DESC`

// invalidSQL lists indexes of ours and of the application's that nobody is building
// and that are not valid. $1 is the schema.
const invalidSQL = `
SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ($1::text, 'pruned') AND NOT (i.indisvalid AND i.indisready)
   AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index b WHERE b.index_relid = i.indexrelid)
 ORDER BY 1`

// checkIndexes finds indexes on the application's tables that are missing or invalid.
func (db *DB) checkIndexes(ctx context.Context) (found []repo.Finding, err error) {
	err = db.inOwnTx(ctx, func(t pgx.Tx) error {
		rows, _ := t.Query(ctx, unindexedSQL, db.schema, int64(slowSize))
		var table, column string
		var size int64
		_, err := pgx.ForEachRow(rows, []any{&table, &column, &size}, func() error {
			found = append(found, repo.Finding{Check: "indexes", OK: true,
				Detail: fmt.Sprintf("table %s has none on its foreign key %s: each deleted file reads all of it, %s, which an index would save", table, column, humanize.IBytes(uint64(size))),
				Remedy: fmt.Sprintf("CREATE INDEX CONCURRENTLY ON %s (%s);", table, column)})
			return nil
		})
		return err
	})
	invalid, invalidErr := db.readColumn(ctx, invalidSQL, db.schema)
	if len(invalid) > 0 {
		found = append(found, repo.Finding{Check: "indexes", Detail: "not valid, so that rows are missing from them once they are: " + strings.Join(invalid, ", "),
			Remedy: "REINDEX INDEX CONCURRENTLY " + strings.Join(invalid, "; REINDEX INDEX CONCURRENTLY ") + ";"})
	}
	err = errors.Join(err, invalidErr)
	if len(found) == 0 {
		found = []repo.Finding{{Check: "indexes", OK: true, Detail: "every foreign key to table file has one, or its table is small"}}
	}
	return found, pgerr.Translate(err, "look for indexes")
}

// maxNames bounds what a finding lists.
const maxNames = 20

// checkSearched names the schemas that are searched for mentions, and those that are not.
func (db *DB) checkSearched(ctx context.Context) ([]repo.Finding, error) {
	var others, unsearched []string
	err := db.inOwnTx(ctx, func(t pgx.Tx) (err error) {
		others, unsearched, err = db.index.ListSearched(ctx, t)
		return err
	})
	if err != nil {
		return nil, err
	}
	f := repo.Finding{Check: "searched", OK: true, Detail: "every table of schema " + refindex.QuoteName(db.schema)}
	if len(others) > 0 {
		f.Detail += ", and of " + strings.Join(others, ", ") + " (PRUNED_IGNORE=schema.* leaves one out)"
	}
	if n := len(unsearched); n > 0 {
		named := strings.Join(unsearched[:min(n, maxNames)], ", ")
		if n > maxNames {
			named += fmt.Sprintf(" and %d more", n-maxNames)
		}
		f.Detail += "; not searched, since they may not be read or lie in another database: " + named
		f.Remedy = "if Open WebUI or a plugin keeps anything there, GRANT USAGE and SELECT on it"
	}
	return []repo.Finding{f}, nil
}

// checkForeignKeys finds foreign keys that are missing, or declared only. They cost safety
// nothing: their tables are searched like any other.
func (db *DB) checkForeignKeys(ctx context.Context) ([]repo.Finding, error) {
	var columns, remedies []string
	err := db.inOwnTx(ctx, func(t pgx.Tx) (err error) {
		columns, remedies, err = db.index.IdleLinks(ctx, t)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 {
		return []repo.Finding{{Check: "foreign keys", OK: true, Detail: "every link to a file, chat, channel or knowledge base is enforced by its own"}}, nil
	}
	return []repo.Finding{{Check: "foreign keys", Detail: "missing, or declared and not enforced: " + strings.Join(columns, ", ") +
		": links keep their files as long as they are there, also those to what was deleted, and a file that is attached at the very moment of its deletion is only noticed by the last look",
		Remedy: strings.Join(remedies, " ")}}, nil
}
