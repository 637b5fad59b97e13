package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// idleSQL lists the links that no foreign key enforces, and what would make one do
// so. $1 is the schema.
var idleSQL = `WITH RECURSIVE ` + linkedCTE + `
SELECT format('%I.%I', l.child, l.attname),
       CASE WHEN k.oid IS NULL OR k.confdeltype <> 'c'
            THEN format('ALTER TABLE %s ADD FOREIGN KEY (%I) REFERENCES %s (id) ON DELETE CASCADE;', c.oid::regclass, l.attname, p.oid::regclass)
            WHEN NOT coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
            THEN format('ALTER TABLE %s ALTER CONSTRAINT %I ENFORCED;', c.oid::regclass, k.conname)
            WHEN NOT k.convalidated
            THEN format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', c.oid::regclass, k.conname)
            ELSE format('ALTER TABLE %s ENABLE TRIGGER ALL; ALTER TABLE %s ENABLE TRIGGER ALL; and no role with session_replication_role = replica, nor a subscription', c.oid::regclass, p.oid::regclass) END
  FROM ` + linksSQL + `
  JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', $1::text, l.child)) AND c.relkind IN ('r', 'p')
  JOIN pg_class p ON p.oid = to_regclass(format('%I.%I', $1::text, l.parent))
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = l.attname AND NOT a.attisdropped
  LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.confrelid = p.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]
 WHERE NOT EXISTS (SELECT FROM linked WHERE linked.relation = c.oid AND linked.attname = l.attname AND linked.parent = l.parent)
 ORDER BY 1, 2`

// examineForeignKeys: those that are missing, or declared only, cost safety nothing:
// their tables are searched like any other.
func (db *DB) examineForeignKeys(ctx context.Context) ([]repo.Finding, error) {
	var columns, remedies []string
	err := db.read(ctx, func(t pgx.Tx) error {
		rows, _ := t.Query(ctx, idleSQL, db.schema)
		var column, remedy string
		_, err := pgx.ForEachRow(rows, []any{&column, &remedy}, func() error {
			columns, remedies = append(columns, column), append(remedies, remedy)
			return nil
		})
		return err
	})
	if err != nil {
		return nil, pgerr.Translate(err, "look for the foreign keys of the link tables")
	}
	if len(columns) == 0 {
		return []repo.Finding{{Check: "foreign keys", OK: true, Detail: "every link to a file, chat, channel or knowledge base is enforced by its own"}}, nil
	}
	return []repo.Finding{{Check: "foreign keys", Detail: "missing, or declared and not enforced: " + strings.Join(columns, ", ") +
		": links keep their files as long as they are there, also those to what was deleted, and a file that is attached at the very moment of its deletion is only noticed by the last look",
		Do: strings.Join(remedies, " ")}}, nil
}
